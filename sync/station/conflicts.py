"""Edits that lost to newer ones: shown until they are marked as seen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.clock import rfc3339, utc_now
from models.sync import SyncConflict


def list_conflicts(session: Session, *, seen: bool = False, limit: int = 1000) -> list[SyncConflict]:
    """Return lost edits, oldest first; those marked as seen only when ``seen``."""
    query = select(SyncConflict).order_by(SyncConflict.created_at, SyncConflict.id).limit(limit)
    return list(session.scalars(query if seen else query.where(SyncConflict.seen_at.is_(None))))


def mark_seen(session: Session, conflicts: list[SyncConflict]) -> None:
    """Mark them as seen within the caller's transaction."""
    session.execute(
        update(SyncConflict)
        .where(SyncConflict.id.in_([conflict.id for conflict in conflicts]))
        .values(seen_at=utc_now()),
        execution_options={"synchronize_session": False},
    )


def conflict_json(conflict: SyncConflict) -> dict[str, Any]:
    """Return a lost edit in JSON form."""
    return {
        "id": conflict.id,
        "entity": conflict.entity,
        "entity_id": conflict.entity_id,
        "field": conflict.field,
        "kept_value": conflict.kept_value,
        "kept_clock": conflict.kept_clock,
        "lost_value": conflict.lost_value,
        "lost_clock": conflict.lost_clock,
        "created_at": rfc3339(conflict.created_at),
    }
