"""Queries of masters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.errors import NotFound
from models.synced import ListedMaster, Master
from models.targets import InspectionItem
from server.core.paging import searched

MasterT = TypeVar("MasterT", bound=Master)
ListedT = TypeVar("ListedT", bound=ListedMaster)


def alive(session: Session, record_type: type[MasterT], record_id: str) -> MasterT:
    """Return a master that is not deleted.

    Raises:
        NotFound: ``<entity>-not-found``.
    """
    record = session.get(record_type, record_id)
    if record is None or record.deleted_at is not None:
        raise _not_found(record_type)
    return record


def require_alive(session: Session, record_type: type[Master], record_id: str) -> None:
    """Check that a master is there and not deleted, without loading it.

    Raises:
        NotFound: ``<entity>-not-found``.
    """
    query = select(record_type.id).where(record_type.id == record_id, record_type.deleted_at.is_(None))
    if session.connection().execute(query).first() is None:
        raise _not_found(record_type)


def _not_found(record_type: type[Master]) -> NotFound:
    return NotFound(f"{record_type.entity.replace('_', '-')}-not-found")


def listing(
    record_type: type[ListedT],
    search: str,
    order: Sequence[InstrumentedAttribute[str] | InstrumentedAttribute[int]],
    *conditions: ColumnElement[bool],
) -> Select[ListedT]:
    """Return the query for masters that are not deleted and contain ``search``."""
    query = select(record_type).where(record_type.deleted_at.is_(None), *conditions)
    return searched(query, search, record_type).order_by(*order, record_type.id)


def items_of(session: Session, target_id: str) -> Sequence[InspectionItem]:
    """Return the items of a target that are not deleted."""
    query = select(InspectionItem).where(InspectionItem.target_id == target_id, InspectionItem.deleted_at.is_(None))
    return session.scalars(query).all()


def items_using(session: Session, pipeline_id: str) -> Sequence[InspectionItem]:
    """Return the items that are not deleted and use a pipeline."""
    query = select(InspectionItem).where(InspectionItem.pipeline_id == pipeline_id, InspectionItem.deleted_at.is_(None))
    return session.scalars(query.order_by(InspectionItem.id)).all()
