"""Everything about the synchronisation of this station in one value, for a person or a program that watches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.station.operations.line_stops import LineStopView, stops_in
from app.station.operations.retention import free_bytes
from app.station.settings import load_settings
from models.clock import parse_rfc3339, rfc3339
from models.errors import DoesNotFit
from models.releases import ModelRelease, ReleaseCheck
from models.states import OutboxState, ReleaseState
from models.sync import OutboxEntry
from models.targets import InspectionItem
from sync.shared.item_records import active_release, meant_releases
from sync.shared.station_config import settings_for
from sync.station.hold import Hold, MeteredLink, is_metered
from sync.station.state import CURSOR, DUE_AT, GENERATION, get_value
from sync.station.status import SyncStatus, status_of

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_OPEN = (ReleaseState.STAGED, ReleaseState.RELEASED)


@dataclass(frozen=True, slots=True)
class ItemRelease:
    """A release of a model for this station.

    Attributes:
        in_use: the item is inspected with it now.
        code: why it was refused here; empty when it holds, None while it was not checked.
    """

    item: str
    release_id: str
    name: str
    in_use: bool
    code: str | None


@dataclass(frozen=True, slots=True)
class SyncOverview:
    """The synchronisation as the store knows it.

    Attributes:
        server: its address; None before enrolment.
        status: what waits, what was refused, when it last succeeded.
        pending: changes that wait, by kind of record.
        cursor: where the next pull goes on; None when the next pass takes the snapshot.
        generation: of the server, as of the last pass; None before the first.
        held: what waits by choice.
        link: whether the link counts as paid by volume, by the setting.
        interval_s: seconds between passes.
        next_pass: when the next pass of a running station is due at the latest; None while none runs.
        releases: of models for this station.
        line_stops: that hold for this station, oldest first.
        free_bytes: of the disk.
    """

    server: str | None
    status: SyncStatus
    pending: dict[str, int]
    cursor: str | None
    generation: str | None
    held: Hold
    link: MeteredLink
    interval_s: float
    next_pass: datetime | None
    releases: tuple[ItemRelease, ...]
    line_stops: tuple[LineStopView, ...]
    free_bytes: int

    @property
    def metered(self) -> bool | None:
        """Whether the link is paid by volume: by the setting, else as the system said last; None when unknown."""
        return is_metered(self.link, lambda: self.status.metered)

    def as_json(self, language: str) -> dict[str, Any]:
        """Return it in JSON form, with texts in ``"en"`` or ``"ja"``."""
        status, failure = self.status, self.status.last_failure
        return {
            "server": self.server,
            "generation": self.generation,
            "cursor": self.cursor,
            "last_success": _time(status.last_success),
            "next_pass": _time(self.next_pass),
            "interval_s": self.interval_s,
            "failing_since": _time(failure.since if failure else None),
            "last_error": {"code": failure.code, "detail": failure.text(language).detail} if failure else None,
            "waiting": status.waiting,
            "pending": self.pending,
            "blocked": status.blocked,
            "dead": status.dead,
            "blobs_waiting": status.blobs_waiting,
            "blob_bytes": status.blob_bytes_waiting,
            "held": self.held.value,
            "link": {"counts_as_metered": self.link.value, "metered": self.metered},
            "conflicts": status.conflicts,
            "store": _in_json(status.store.model_dump(exclude={"generation"})),
            "sent_again": _in_json(status.sent_again.model_dump()) if status.sent_again else None,
            "releases": [
                {
                    "item": one.item,
                    "release_id": one.release_id,
                    "name": one.name,
                    "in_use": one.in_use,
                    "refused": one.code or None,
                    "checked": one.code is not None,
                }
                for one in self.releases
            ],
            "line_stops": [
                {"code": one.code, "reason": one.reason.in_language(language), "stopped_at": _time(one.stopped_at)}
                for one in self.line_stops
            ],
            "disk_free_bytes": self.free_bytes,
        }


def sync_overview(workspace: Workspace) -> SyncOverview:
    """Return the overview; reads the store in one transaction."""
    chosen = load_settings(workspace.store)
    with workspace.database.read() as session:
        status = status_of(session)
        next_pass = get_value(session, DUE_AT)
        handed = settings_for(session, workspace.device_id) if workspace.device_id else {}
        interval_s = float(handed.get("sync_interval_s", workspace.settings.sync_interval_s))
        return SyncOverview(
            server=workspace.server_url,
            status=status,
            pending=_pending(session),
            cursor=get_value(session, CURSOR),
            generation=get_value(session, GENERATION),
            held=chosen.sync_hold,
            link=chosen.sync_metered,
            interval_s=interval_s,
            next_pass=parse_rfc3339(next_pass) if next_pass else None,
            releases=_releases(session, workspace.device_id),
            line_stops=tuple(stops_in(session, workspace.device_id)),
            free_bytes=free_bytes(workspace.store),
        )


def release_warning(workspace: Workspace) -> DoesNotFit | None:
    """Return the notice of a release that this station refuses to inspect with, None when there is none."""
    with workspace.database.read() as session:
        refused = [one for one in _releases(session, workspace.device_id) if one.code]
    if not refused:
        return None
    return DoesNotFit("window-release-refused", name=refused[-1].name, item=refused[-1].item, reason=refused[-1].code)


def _pending(session: Session) -> dict[str, int]:
    query = (
        select(OutboxEntry.entity, func.count())
        .where(OutboxEntry.state == OutboxState.WAITING)
        .group_by(OutboxEntry.entity)
        .order_by(OutboxEntry.entity)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _releases(session: Session, device_id: str) -> tuple[ItemRelease, ...]:
    query = (
        select(ModelRelease)
        .where(ModelRelease.state.in_(_OPEN), ModelRelease.deleted_at.is_(None))
        .order_by(ModelRelease.released_at, ModelRelease.id)
    )
    found = []
    for release in meant_releases(session.scalars(query), device_id):
        item = session.get(InspectionItem, release.item_id)
        check = session.get(ReleaseCheck, release.id)
        current = check is not None and check.signature == release.signature
        active = active_release(session, device_id, release.item_id)
        found.append(
            ItemRelease(
                item=item.name if item is not None else release.item_id,
                release_id=release.id,
                name=release.name,
                in_use=active is not None and active.id == release.id,
                code=check.code if check is not None and current else None,
            )
        )
    return tuple(found)


def _in_json(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with every time in the one form of the whole status."""
    return {name: _in_json(one) if isinstance(one, dict) else _value(one) for name, one in values.items()}


def _value(value: object) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None
