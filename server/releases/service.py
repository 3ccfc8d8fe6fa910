"""Releases: made from an uploaded bundle, staged, given to all stations, taken back. One unit of work a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.errors import NotFound
from models.ids import new_id
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.states import ReleaseState
from models.targets import InspectionItem
from server.audit import audited, differences, made
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.core.release_keys import public_key, sign, sign_stage
from server.masters.repository import alive
from server.objects.records import record_blob
from server.releases.repository import ModelFilter, listing, models, release_by_id, station_reports
from server.releases.rules import require_transition
from server.releases.schemas import (
    ModelFileReply,
    ReleaseCreate,
    ReleaseDetail,
    ReleaseKey,
    ReleaseReply,
    StationReport,
)
from sync.shared.schemas import Page

if TYPE_CHECKING:
    from server.releases.bundles import Bundle

_BUNDLE = "application/zip"


def list_releases(context: ServerContext, item_id: str | None, wanted: PageQuery) -> Page[ReleaseReply]:
    """Return a page of releases, newest first."""
    with context.database.read() as session:
        return fetch_page(
            session, PageStatements.of(listing(session, item_id, wanted.search), ReleaseReply, wanted), wanted
        )


def get_release(context: ServerContext, release_id: str) -> ReleaseDetail:
    """Return a release with what stations found; ``NotFound`` ``release-unknown``."""
    with context.database.read() as session:
        return _detail(session, release_by_id(session, release_id))


def list_models(context: ServerContext, wanted: ModelFilter, paging: PageQuery) -> Page[ModelFileReply]:
    """Return a page of models, newest first."""
    with context.database.read() as session:
        return fetch_page(
            session, PageStatements.of(models(session, wanted, paging.search), ModelFileReply, paging), paging
        )


def get_model(context: ServerContext, model_id: str) -> ModelFileReply:
    """Return a model; ``NotFound`` ``model-file-not-found``."""
    with context.database.read() as session:
        return ModelFileReply.model_validate(alive(session, ModelFile, model_id))


def get_key(context: ServerContext) -> ReleaseKey:
    """Return the public key that stations check releases with."""
    return ReleaseKey(public_key=public_key(context.settings))


def create_release(context: ServerContext, who: Principal, body: ReleaseCreate) -> tuple[ReleaseDetail, bool]:
    """Make a draft of a release and return it, with whether it is new.

    The bundle is read, and the item is checked to run with it: what stations could not inspect with is refused here.

    Raises:
        NotFound: ``blob-unknown``, or when the item is not there.
        InvalidInput: when the bytes are no whole model bundle.
        DoesNotFit: ``release-replaces-nothing``, or when the item does not run with the model.
        Conflict: ``id-taken``.
    """
    # Loaded with the first release: it brings the readers of models along, and NumPy with them.
    from server.releases.bundles import read_bundle
    from server.releases.fitting import model_replaced_by

    content = {"item_id": body.item_id, "sha256": body.sha256}
    if not context.objects.exists(body.sha256):
        raise NotFound("blob-unknown")
    found = read_bundle(context.objects.stream(body.sha256))
    with context.database.transaction(who.user_id) as session:
        existing = existing_record(session, ModelRelease, body.id, content)
        if existing is not None:
            return _detail(session, existing), False
        item = alive(session, InspectionItem, body.item_id)
        record_blob(session, body.sha256, found.size_bytes, _BUNDLE)
        model = _model_file(session, body.sha256, found, item.id)
        release = ModelRelease(
            id=body.id or new_id(),
            name=body.name or model.name,
            item_id=item.id,
            model_id=model.id,
            replaces_id=model_replaced_by(session, item, model),
            sha256=body.sha256,
            size_bytes=found.size_bytes,
        )
        release.signature = sign(context.settings, release)
        release.stage_signature = sign_stage(context.settings, release)
        session.add(release)
        session.flush()
        names = ("name", "item_id", "model_id", "replaces_id", "sha256", "size_bytes")
        chosen = made({name: getattr(release, name) for name in names})
        audited(session, who, "model-release.created", release.entity, release.id, changes=chosen)
        session.flush()
        return _detail(session, release), True


def move_release(
    context: ServerContext,
    who: Principal,
    release_id: str,
    state: ReleaseState,
    stations: list[str] | None = None,
) -> ReleaseDetail:
    """Give a release to some stations, to all, or take it back from all.

    Raises:
        NotFound: ``release-unknown``; ``device-unknown`` for a station that is not enrolled.
        Conflict: ``release-state``.
    """
    with context.database.transaction(who.user_id) as session:
        release = release_by_id(session, release_id)
        require_transition(release.state, state)
        for device_id in stations or ():
            if session.get(Device, device_id) is None:
                raise NotFound("device-unknown")
        before = {"state": release.state.value, "stations": release.stations}
        release.state = state
        if stations is not None:
            release.stations = sorted(set(stations))
        release.released_by, release.released_at = who.username, utc_now()
        release.stage_signature = sign_stage(context.settings, release)
        changes = differences(before, {"state": state.value, "stations": release.stations})
        audited(session, who, f"model-release.{state.value}", release.entity, release.id, changes=changes)
        session.flush()
        return _detail(session, release)


def _model_file(session: Session, sha256: str, found: Bundle, item_id: str) -> ModelFile:
    """Return the record of a bundle, a new one when there is none."""
    query = select(ModelFile).where(ModelFile.sha256 == sha256, ModelFile.deleted_at.is_(None)).order_by(ModelFile.id)
    known = session.scalars(query).first()
    if known is not None:
        return known
    model = ModelFile(
        name=(found.name or sha256[:8])[:200],
        model_kind=found.kind,
        sha256=sha256,
        size_bytes=found.size_bytes,
        metrics=found.metrics,
        item_id=item_id,
    )
    session.add(model)
    session.flush()
    return model


def _detail(session: Session, release: ModelRelease) -> ReleaseDetail:
    reply = ReleaseReply.model_validate(release)
    reports = [StationReport(**report) for report in station_reports(session, release.id)]
    return ReleaseDetail(**reply.model_dump(), reports=reports)
