"""Takes what the server says of one record into the station's store; what waits in the outbox stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.named import UniquelyNamed
from models.synced import Master, Synced, SyncKind, snapshot, split_fields, synced_types
from sync.shared.merge import fields_to_take, merge_owned, with_field_states
from sync.shared.records import lacking, missing_parent
from sync.station.audit_chain import take_place
from sync.station.outbox import waiting_fields
from sync.station.stand_ins import current_unique, free_key, make_room

_NAMING = frozenset({"code", "username", "deleted_at"})
"""Fields with which the key of a record's name changes."""


class ResyncNeeded(Exception):
    """A pulled change does not fit what is here; only the snapshot has the rest."""


@dataclass(frozen=True, slots=True)
class News:
    """What the server says of one record.

    Attributes:
        rev: position of the newest change.
        clock: its stamp.
        fields: wire fields that are told.
        revs: position of the newest change of each.
        clocks: its stamp, where it is another one than the record's.
    """

    rev: int
    clock: str
    fields: Mapping[str, Any]
    revs: Mapping[str, int]
    clocks: Mapping[str, str] = field(default_factory=dict)

    def clock_of(self, name: str) -> str:
        """Return the stamp of the newest change of a field."""
        return self.clocks.get(name, self.clock)


def take_record(session: Session, entity: str, entity_id: str, news: News) -> bool:
    """Take one record's fields; return whether anything was written."""
    record_type = synced_types().get(entity)
    if record_type is None:
        return False
    present = session.get(record_type, entity_id)
    if present is None:
        return _take_new(session, record_type, entity_id, news)
    if record_type.kind is SyncKind.FACT:
        if present.rev is None:
            present.rev = news.rev
        if isinstance(present, AuditEntry):
            take_place(present, news.fields)
        owner = news.fields.get("device_id", present.device_id)  # type: ignore[attr-defined]  # facts have it
        if owner == present.device_id:  # type: ignore[attr-defined]  # facts have it
            return False
        # Recorded by the station of whose store this one is a copy, and given back to it.
        present.device_id = owner  # type: ignore[attr-defined]  # facts have it
        return True
    return _take_update(session, present, news)


def _take_new(session: Session, record_type: type[Synced], entity_id: str, news: News) -> bool:
    values, extra = split_fields(record_type, dict(news.fields))
    if lacking(record_type, {"id": entity_id, **values}) or missing_parent(session, record_type, values):
        raise ResyncNeeded(f"{record_type.entity} {entity_id}")
    make_room(session, record_type, entity_id, values)
    key = free_key(session, record_type, entity_id, values)
    record = record_type(id=entity_id, rev=news.rev, clock=news.clock, extra=extra, **values)
    if isinstance(record, Master):
        for name in news.fields:
            record.field_clocks = with_field_states(
                record.field_clocks, [name], rev=news.revs.get(name, news.rev), clock=news.clock_of(name)
            )
    if key is not None and isinstance(record, UniquelyNamed):
        record.name_key = key
    session.add(record)
    session.flush()
    return True


def _take_update(session: Session, present: Synced, news: News) -> bool:
    waiting = waiting_fields(session, present.entity, present.id)
    wanted: dict[str, Any] = {}
    if isinstance(present, Master):
        held = {name: state.get("rev") for name, state in present.field_clocks.items()}
        for name, value in news.fields.items():
            rev = news.revs.get(name, news.rev)
            wanted |= fields_to_take({name: value}, rev=rev, revs=held, waiting=waiting)
    elif news.rev >= (present.rev or 0):
        others = {name: value for name, value in news.fields.items() if name not in waiting}
        wanted = merge_owned(snapshot(present), others).taken
    values, extra = split_fields(type(present), wanted)
    if missing_parent(session, type(present), values):
        raise ResyncNeeded(f"{present.entity} {present.id}")
    whole = {**current_unique(present), **values}
    make_room(session, type(present), present.id, whole)
    named = not _NAMING.isdisjoint(values)
    key = free_key(session, type(present), present.id, whole) if named else None
    for name, value in values.items():
        setattr(present, name, value)
    if key is not None and isinstance(present, UniquelyNamed):
        present.name_key = key
    if extra:
        present.extra = {**present.extra, **extra}
    if isinstance(present, Master):
        states = present.field_clocks
        for name in wanted:
            before = states.get(name, {})
            clock = news.clock_of(name)
            own = {"user": before["user"]} if "user" in before and before.get("clock") == clock else {}
            states = {**states, name: {"rev": news.revs.get(name, news.rev), "clock": clock, **own}}
        present.field_clocks = states
    if not waiting & set(news.fields):
        # The base of coming edits moves only when the whole of the change is to be seen here: an edit made beside a
        # value that was held off must still count as made without knowing it.
        present.rev = max(present.rev or 0, news.rev)
    present.clock = max(present.clock, news.clock)
    session.flush()
    return bool(wanted)
