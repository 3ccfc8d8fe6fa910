"""Stand-ins: what a local record is called while the server has given its code or name to another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.named import UniquelyNamed
from models.names import key_of, set_apart
from models.synced import Master, Synced, synced_types
from sync.shared.protocol import ChangeResult, FieldConflict
from sync.shared.records import holder_of, table_of, unique_columns
from sync.station.lost_edits import keep_conflicts
from sync.station.outbox import WaitingChange, waiting_fields


def make_room(session: Session, record_type: type[Synced], entity_id: str, values: Mapping[str, Any]) -> None:
    """Give a local record a stand-in for a value that the server has given to another one.

    The server's value holds, or no later change could be applied. A change of the local record that waits, or was
    refused, keeps what the person wrote: the server's refusal tells of it, and a stand-in is nobody's edit. Where none
    is left to tell of it, what the record was called is kept as a conflict.
    """
    if values.get("deleted_at") is not None:
        return
    for name in unique_columns(record_type):
        if name not in values:
            continue
        holder = holder_of(session, record_type, name, values[name], entity_id)
        if holder is None:
            continue
        renamed = _stand_in(holder, name, values[name])
        setattr(holder, name, renamed)
        if name not in waiting_fields(session, holder.entity, holder.id):
            lost = FieldConflict(
                field=name,
                kept_value=renamed,
                kept_clock=holder.clock,
                lost_value=values[name],
                lost_clock=holder.clock,
            )
            keep_conflicts(session, holder.entity, holder.id, "", [lost])
        session.flush()


def take_back_values(session: Session, accepted: Iterable[tuple[WaitingChange, ChangeResult]]) -> None:
    """Give records whose unique values the server has accepted after all these values in place of their stand-ins."""
    types = synced_types()
    for entry, result in accepted:
        record_type = types.get(entry.entity)
        if record_type is None or not issubclass(record_type, Master):
            continue
        names = {name for name in unique_columns(record_type) if name in entry.fields}
        names -= {conflict.field for conflict in result.conflicts}
        record = session.get(record_type, entry.entity_id) if names else None
        if record is None:
            continue
        back = {name: entry.fields[name] for name in names}
        back = {name: value for name, value in back.items() if getattr(record, name) == _stand_in(record, name, value)}
        if back:
            make_room(session, record_type, record.id, {**current_unique(record), **back})
            key = free_key(session, record_type, record.id, {**current_unique(record), **back})
            for name, value in back.items():
                setattr(record, name, value)
            if key is not None and isinstance(record, UniquelyNamed):
                record.name_key = key
            session.flush()


def free_key(session: Session, record_type: type[Synced], record_id: str, values: Mapping[str, Any]) -> str | None:
    """Return the key for a record's name.

    A server may have names from before that differ in case or width alone: the older record has the plain key.

    Args:
        session: the caller's transaction; the other record gives its key up in it.
        record_type: kind of the record.
        record_id: its id.
        values: what changes, or all of a new record.

    Returns:
        The key, None when it stays as it is.
    """
    if not issubclass(record_type, UniquelyNamed) or record_type.unique_name not in values:
        return None
    kind: Any = record_type
    key = key_of(values[record_type.unique_name])
    query = select(kind).where(kind.name_key == key, kind.id != record_id, kind.deleted_at.is_(None))
    holder = session.scalars(query).first()
    if holder is None or values.get("deleted_at") is not None:
        return key
    if holder.id < record_id:
        return set_apart(key, record_id)
    holder.name_key = set_apart(key, holder.id)
    session.flush()
    return key


def current_unique(present: Synced) -> dict[str, Any]:
    """Return the values of a record that no other one may share, and whether it is deleted."""
    names = [*unique_columns(type(present)), getattr(present, "unique_name", ""), "deleted_at"]
    return {name: getattr(present, name) for name in names if hasattr(present, name)}


def _stand_in(record: Synced, name: str, value: Any) -> str:
    """Return what a record has in place of a unique ``value`` that is another one's here."""
    length = getattr(table_of(type(record)).columns[name].type, "length", None) or 64
    mark = f"~{record.id[-6:]}"
    return f"{str(value)[: length - len(mark)]}{mark}"
