"""Pages of the change log for one reader."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models.sync import ChangeLogEntry, SyncConflict
from models.synced import SyncKind, synced_types
from server.change_log.cursor import encode, position_of
from server.change_log.recording import head
from server.sync.conflicts import as_conflict
from sync.shared.protocol import FieldConflict, PullAnswer, PulledChange


def pull(session: Session, *, since: str | None, limit: int, device_id: str | None) -> PullAnswer:
    """Return the changes after ``since`` that a reader may see, oldest first.

    A station sees masters, and of sessions and facts those that are its own and were made elsewhere; it has made the
    others itself. A reader that is no station (``device_id`` None) sees all.

    Raises:
        InvalidInput: ``sync-cursor-invalid``.
        Gone: ``full-resync-required``.
    """
    start = position_of(session, since)
    # Read before the entries: what commits between the two reads comes with the next page.
    newest = head(session)
    query = (
        select(ChangeLogEntry)
        .where(ChangeLogEntry.position > start, ChangeLogEntry.position <= newest)
        .order_by(ChangeLogEntry.position)
        .limit(limit + 1)
    )
    if device_id is not None:
        query = query.where(_visible(device_id))
    entries = list(session.scalars(query))
    has_more = len(entries) > limit
    entries = entries[:limit]
    end = entries[-1].position if has_more else newest
    conflicts = _conflicts(session, entries, device_id)
    changes = [
        PulledChange(
            change_id=entry.change_id,
            rev=entry.position,
            entity=entry.entity,
            entity_id=entry.entity_id,
            op=entry.op,
            clock=entry.clock,
            fields=entry.fields,
            device_id=entry.device_id,
            conflicts=conflicts.get(entry.change_id, []),
        )
        for entry in entries
    ]
    return PullAnswer(changes=changes, next_cursor=encode(session, end), has_more=has_more)


def _visible(device_id: str) -> ColumnElement[bool]:
    masters = [name for name, kind in synced_types().items() if kind.kind is SyncKind.MASTER]
    mine = or_(ChangeLogEntry.scope_device_id.is_(None), ChangeLogEntry.scope_device_id == device_id)
    made_elsewhere = or_(ChangeLogEntry.device_id.is_(None), ChangeLogEntry.device_id != device_id)
    return and_(mine, or_(ChangeLogEntry.entity.in_(masters), made_elsewhere))


def _conflicts(
    session: Session, entries: list[ChangeLogEntry], device_id: str | None
) -> dict[str, list[FieldConflict]]:
    """Return, by change of another device, the conflicts that the reader's own earlier changes lost to it."""
    others = {entry.change_id: entry.entity_id for entry in entries if entry.device_id not in {None, device_id}}
    if device_id is None or not others:
        return {}
    query = select(SyncConflict).where(
        SyncConflict.entity_id.in_(set(others.values())), SyncConflict.device_id == device_id
    )
    found: dict[str, list[FieldConflict]] = {}
    for row in session.scalars(query):
        if row.change_id in others:
            found.setdefault(row.change_id, []).append(as_conflict(row))
    return found
