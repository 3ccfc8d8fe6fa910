"""Removes masters for other stations, which a former version or a former station of the store has left here."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from models.alerts import LineStop
from models.audit import append_audit
from models.database import Database
from models.pipelines import StationConfig
from models.sync import OutboxEntry
from models.tracking import remote_changes
from sync.shared.addressed import ADDRESSED, is_for

_ACTOR = "imageflow"
_ACTION = "sync.foreign_removed"


def remove_foreign(database: Database, device_id: str) -> None:
    """Remove what the server has for other stations; the audit trail keeps how many of each kind there were.

    The server still has them, and none of them ever comes to this station again. One that an edit of this store waits
    for stays until the edit is gone.

    Args:
        database: the station's.
        device_id: this station.

    Raises:
        UserFacingError: when the store cannot be written.
    """
    with database.read() as session:
        if not any(_count(session, kind, device_id) for kind in ADDRESSED):
            return
    with database.transaction() as session:
        removed = {}
        for kind in ADDRESSED:
            removed[kind.entity] = _count(session, kind, device_id)
            with remote_changes(session):
                for record in session.scalars(select(kind).where(_is_foreign(kind, device_id))):
                    session.delete(record)
        detail = {entity: count for entity, count in removed.items() if count}
        append_audit(session, device_id=device_id, actor=_ACTOR, action=_ACTION, detail=detail)


def _count(session: Session, kind: type[StationConfig | LineStop], device_id: str) -> int:
    return session.scalar(select(func.count()).select_from(kind).where(_is_foreign(kind, device_id))) or 0


def _is_foreign(kind: type[StationConfig | LineStop], device_id: str) -> ColumnElement[bool]:
    return ~is_for(kind, device_id) & ~exists().where(OutboxEntry.entity_id == kind.id)
