"""Keeping of edits that lost to newer ones, until a person has decided about them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.sync import SyncConflict
from sync.shared.lost_values import lost_value
from sync.shared.protocol import FieldConflict


def keep_conflicts(
    session: Session, entity: str, entity_id: str, change_id: str, conflicts: Sequence[FieldConflict]
) -> int:
    """Keep what was lost to a newer change, once, so that a person can see it; return how many are new."""
    new = 0
    for conflict in conflicts:
        known = session.scalar(
            select(SyncConflict.id).where(
                SyncConflict.entity_id == entity_id,
                SyncConflict.change_id == change_id,
                SyncConflict.field == conflict.field,
            )
        )
        if known is not None:
            continue
        new += 1
        session.add(lost_value(entity, entity_id, change_id, conflict))
    return new
