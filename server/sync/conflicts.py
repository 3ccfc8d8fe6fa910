"""Conflicts: edits that lost to others, kept in the record's history and reported to the station that made them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import Stamp
from models.sync import SyncConflict
from sync.shared.merge import Merge
from sync.shared.protocol import Change, FieldConflict


def keep_history(session: Session, change: Change, merge: Merge) -> None:
    """Store the values that a merge did not take or replaced, within the caller's transaction."""
    for conflict in (*merge.lost, *merge.replaced):
        session.add(
            SyncConflict(
                entity=change.entity,
                entity_id=change.entity_id,
                field=conflict.field,
                change_id=change.change_id,
                device_id=Stamp.parse(conflict.lost_clock).device if conflict.lost_clock else "",
                kept_value=conflict.kept_value,
                kept_clock=conflict.kept_clock,
                lost_value=conflict.lost_value,
                lost_clock=conflict.lost_clock,
            )
        )


def earlier_conflicts(session: Session, change: Change, device_id: str) -> tuple[FieldConflict, ...]:
    """Return the conflicts of an earlier applied change of ``device_id``, for a station that missed the answer."""
    query = select(SyncConflict).where(
        SyncConflict.entity_id == change.entity_id,
        SyncConflict.change_id == change.change_id,
        SyncConflict.device_id == device_id,
    )
    return tuple(as_conflict(row) for row in session.scalars(query))


def as_conflict(row: SyncConflict) -> FieldConflict:
    """Return a stored conflict in its wire form."""
    return FieldConflict(
        field=row.field,
        kept_value=row.kept_value,
        kept_clock=row.kept_clock,
        lost_value=row.lost_value,
        lost_clock=row.lost_clock,
    )
