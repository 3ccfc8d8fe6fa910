"""Releases of models at a station: which are meant for it, which one it inspects with, what it found in each."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import utc_now
from models.database import Database
from models.releases import ModelRelease, ReleaseCheck
from models.states import ReleaseState
from sync.shared.item_records import meant_releases
from sync.shared.releases import stage_holds
from sync.station.state import RELEASE_KEY, get_value

STAGE_WRONG = "release-stage-wrong"
_ACTOR = "imageflow"
_OPEN = (ReleaseState.STAGED, ReleaseState.RELEASED)


def wanted_models(session: Session, device_id: str) -> set[str]:
    """Return the ids of the model files that releases for this station need."""
    query = select(ModelRelease).where(ModelRelease.state.in_(_OPEN), ModelRelease.deleted_at.is_(None))
    return {release.model_id for release in meant_releases(session.scalars(query), device_id)}


def unchecked_releases(session: Session, device_id: str) -> list[ModelRelease]:
    """Return the releases for this station that it has not checked as they are signed now, oldest first.

    One whose stage was not signed is checked again once it is.
    """
    key = get_value(session, RELEASE_KEY)
    query = (
        select(ModelRelease, ReleaseCheck.signature, ReleaseCheck.code)
        .outerjoin(ReleaseCheck, ReleaseCheck.release_id == ModelRelease.id)
        .where(ModelRelease.state.in_(_OPEN), ModelRelease.deleted_at.is_(None))
        .order_by(ModelRelease.released_at, ModelRelease.id)
    )
    found = [
        release
        for release, checked, code in session.execute(query)
        if checked != release.signature
        or (code == STAGE_WRONG and key is not None and stage_holds(release, release.stage_signature, key))
    ]
    return list(meant_releases(found, device_id))


def note_check(database: Database, release: ModelRelease, *, device_id: str, code: str = "") -> None:
    """Note whether a release holds; the audit entry tells the server.

    Args:
        database: the station's.
        release: that was checked.
        device_id: this station.
        code: why it was refused; empty when it holds.
    """
    with database.transaction() as session:
        check = session.get(ReleaseCheck, release.id)
        if check is None:
            check = ReleaseCheck(release_id=release.id)
            session.add(check)
        check.code, check.signature, check.checked_at = code, release.signature, utc_now()
        append_audit(
            session,
            device_id=device_id,
            actor=_ACTOR,
            action="model-release.refused" if code else "model-release.verified",
            subject=ModelRelease.entity,
            subject_id=release.id,
            detail={"sha256": release.sha256, "code": code} if code else {"sha256": release.sha256},
        )
