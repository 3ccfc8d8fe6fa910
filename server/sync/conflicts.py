"""Conflicts: edits that lost to others, kept in the record's history and reported to the station that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.clock import Stamp
from models.devices import Device
from models.sync import SyncConflict
from models.users import User
from sync.shared.lost_values import lost_value
from sync.shared.merge import FieldState, Merge
from sync.shared.protocol import Change, FieldConflict


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """Which conflicts are asked for; None is any."""

    entity: str | None = None
    entity_id: str | None = None
    device_id: str | None = None


def keep_history(
    session: Session, change: Change, merge: Merge, states: Mapping[str, FieldState]
) -> tuple[FieldConflict, ...]:
    """Store the values that a merge did not take or replaced, within the caller's transaction.

    Args:
        session: the caller's transaction.
        change: what was merged.
        merge: what that gave.
        states: who set the fields of the record before.

    Returns:
        The conflicts that the change lost, with who made each value.
    """
    lost = tuple(
        _with_authors(session, conflict, kept=states[conflict.field].user_id, lost=change.user_id)
        for conflict in merge.lost
    )
    replaced = (
        _with_authors(session, conflict, kept=change.user_id, lost=states[conflict.field].user_id)
        for conflict in merge.replaced
    )
    for conflict in (*lost, *replaced):
        session.add(lost_value(change.entity, change.entity_id, change.change_id, conflict))
    return lost


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
        kept_by=row.kept_by,
        kept_user=row.kept_user,
        lost_value=row.lost_value,
        lost_clock=row.lost_clock,
        lost_by=row.lost_by,
        lost_user=row.lost_user,
    )


def listing(wanted: ConflictFilter, search: str) -> Select[Any]:
    """Return the query for conflicts, newest first; the search looks at the field's name."""
    query = select(SyncConflict).order_by(SyncConflict.created_at.desc(), SyncConflict.id.desc())
    equal = {
        SyncConflict.entity: wanted.entity,
        SyncConflict.entity_id: wanted.entity_id,
        SyncConflict.device_id: wanted.device_id,
    }
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    return query.where(SyncConflict.field.icontains(search, autoescape=True)) if search else query


def _with_authors(session: Session, conflict: FieldConflict, *, kept: str | None, lost: str | None) -> FieldConflict:
    """Return a conflict with who made its values, given the ids of the users as far as they are known."""
    kept_user, lost_user = _username(session, kept), _username(session, lost)
    made = {
        "kept_by": _author(session, conflict.kept_clock, kept_user),
        "kept_user": kept_user,
        "lost_by": _author(session, conflict.lost_clock, lost_user),
        "lost_user": lost_user,
    }
    return conflict.model_copy(update=made)


def _username(session: Session, user_id: str | None) -> str:
    user = session.get(User, user_id) if user_id is not None else None
    return user.username if user is not None else ""


def _author(session: Session, clock: str, username: str) -> str:
    """Return who made a value: the user, when it is known, and the station."""
    device_id = Stamp.parse(clock).device if clock else ""
    device = session.get(Device, device_id) if device_id else None
    return ", ".join(name for name in (username, device.name if device else device_id) if name)
