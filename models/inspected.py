"""How far the inspection of a part is: which items its AI results are of, and which are left."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.sessions import AIResult, InspectionSession
from models.targets import InspectionItem


def required_item_ids(session: Session, target_id: str) -> list[str]:
    """Return the ids of the items that every part of a target goes through, in their order."""
    query = (
        select(InspectionItem.id)
        .where(InspectionItem.target_id == target_id, InspectionItem.required, InspectionItem.deleted_at.is_(None))
        .order_by(InspectionItem.position, InspectionItem.id)
    )
    return list(session.scalars(query))


def inspected_item_ids(session: Session, session_id: str) -> frozenset[str]:
    """Return the ids of the items of an inspection session that have an AI result."""
    found = session.scalars(select(AIResult.item_id).where(AIResult.session_id == session_id))
    return frozenset(item_id for item_id in found if item_id is not None)


def items_left(session: Session, record: InspectionSession) -> tuple[str, ...]:
    """Return the ids of the required items of a part that have no AI result yet, in their order."""
    done = inspected_item_ids(session, record.id)
    return tuple(item_id for item_id in required_item_ids(session, record.target_id) if item_id not in done)
