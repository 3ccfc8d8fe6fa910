"""Edits that lost to newer ones: shown side by side until a person has decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import Stamp, rfc3339, utc_now
from models.database import Database
from models.errors import Conflict, InvalidInput, NotFound
from models.sync import SyncConflict
from models.synced import Master, Synced, split_fields, synced_types, to_wire, wire_fields
from sync.shared.records import holder_of, unique_columns
from sync.station.mending import text_of


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two values of a conflict.

    Attributes:
        text: the value as a person types it.
        by: who made it, user and station as the server knows them; empty when it does not.
        has_user: whether a user is among them; True where a server of an earlier version did not say.
        device_id: where it was made.
        at: when, by the clock there; None when that is not known.
    """

    text: str
    by: str
    has_user: bool
    device_id: str
    at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON form."""
        at = rfc3339(self.at) if self.at is not None else None
        return {
            "value": self.text,
            "by": self.by,
            "has_user": self.has_user,
            "device_id": self.device_id,
            "at": at,
        }


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """A conflict with both sides.

    Attributes:
        called: code or name of the record; empty when it has none or is not here.
        mine: the value of this station, which lost.
        theirs: the value that was kept.
        holds: what the record has now; None when the record or the field is not here.
        may_take: whether this station can set its own value again.
        seen_at: when a person decided; None while nobody has.
    """

    id: str
    entity: str
    entity_id: str
    called: str
    field: str
    mine: Side
    theirs: Side
    holds: str | None
    may_take: bool
    created_at: datetime
    seen_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON form."""
        return {
            "id": self.id,
            "entity": self.entity,
            "entity_id": self.entity_id,
            "called": self.called,
            "field": self.field,
            "mine": self.mine.as_json(),
            "theirs": self.theirs.as_json(),
            "holds": self.holds,
            "may_take": self.may_take,
            "created_at": rfc3339(self.created_at),
            "seen_at": rfc3339(self.seen_at) if self.seen_at is not None else None,
        }


def list_conflicts(session: Session, *, seen: bool = False, limit: int = 1000) -> list[ShownConflict]:
    """Return lost edits, oldest first; those that a person has decided about only when ``seen``."""
    query = select(SyncConflict).order_by(SyncConflict.created_at, SyncConflict.id).limit(limit)
    rows = session.scalars(query if seen else query.where(SyncConflict.seen_at.is_(None)))
    return [_shown(session, row) for row in rows]


def keep_theirs(database: Database, conflict_ids: list[str], *, actor: str, device_id: str) -> int:
    """Note that a person leaves the values that were kept, and return of how many that was open."""
    with database.transaction() as session:
        query = select(SyncConflict).where(SyncConflict.id.in_(conflict_ids), SyncConflict.seen_at.is_(None))
        rows = session.scalars(query).all()
        session.execute(
            update(SyncConflict).where(SyncConflict.id.in_([row.id for row in rows])).values(seen_at=utc_now())
        )
        for row in rows:
            _audit(session, row, actor, device_id, "sync.conflict-kept")
        return len(rows)


def take_mine(database: Database, conflict_id: str, *, user_id: str, actor: str, device_id: str) -> None:
    """Set the value that lost again: a new edit in the name of ``user_id``, merged like every other.

    Raises:
        NotFound: ``conflict-unknown``.
        Conflict: ``conflict-record-gone`` when the record or its field is not here any more.
        InvalidInput: ``dead-letter-taken`` when another record has the value meanwhile.
    """
    with database.transaction(actor=user_id) as session:
        row = session.get(SyncConflict, conflict_id)
        if row is None:
            raise NotFound("conflict-unknown", conflict_id=conflict_id)
        record = _record(session, row)
        if record is None or record.deleted_at is not None or row.field not in wire_fields(type(record)):
            raise Conflict("conflict-record-gone")
        values, _ = split_fields(type(record), {row.field: row.lost_value})
        for name, value in values.items():
            taken = name in unique_columns(type(record)) and holder_of(session, type(record), name, value, record.id)
            if taken:
                raise InvalidInput("dead-letter-taken", field=name, value=str(value))
            setattr(record, name, value)
        row.seen_at = utc_now()
        _audit(session, row, actor, device_id, "sync.conflict-taken-back")


def _shown(session: Session, row: SyncConflict) -> ShownConflict:
    record = _record(session, row)
    there = record is not None and record.deleted_at is None and row.field in wire_fields(type(record))
    holds = to_wire(getattr(record, row.field)) if there else None
    return ShownConflict(
        id=row.id,
        entity=row.entity,
        entity_id=row.entity_id,
        called=_called(record),
        field=row.field,
        mine=_side(row.lost_value, row.lost_clock, row.lost_by, row.lost_user),
        theirs=_side(row.kept_value, row.kept_clock, row.kept_by, row.kept_user),
        holds=text_of(holds) if there else None,
        may_take=there and holds != row.lost_value,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )


def _side(value: Any, clock: str, by: str, user: str | None) -> Side:
    has_user = bool(by) if user is None else bool(user)
    if not clock:
        return Side(text_of(value), by, has_user, "", None)
    stamp = Stamp.parse(clock)
    return Side(text_of(value), by, has_user, stamp.device, datetime.fromtimestamp(stamp.milliseconds / 1000, UTC))


def _called(record: Synced | None) -> str:
    names = (getattr(record, name, "") for name in ("code", "username", "name"))
    return str(next((name for name in names if name), ""))


def _record(session: Session, row: SyncConflict) -> Master | None:
    record_type = synced_types().get(row.entity)
    record = session.get(record_type, row.entity_id) if record_type else None
    return record if isinstance(record, Master) else None


def _audit(session: Session, row: SyncConflict, actor: str, device_id: str, action: str) -> None:
    append_audit(
        session,
        device_id=device_id,
        actor=actor,
        action=action,
        subject=row.entity,
        subject_id=row.entity_id,
        detail={"field": row.field, "lost_value": row.lost_value, "kept_value": row.kept_value},
    )
