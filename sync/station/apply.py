"""Applies the server's data to the station's store: pulled changes, snapshot records, results of pushed changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.clock import HybridLogicalClock, Stamp
from models.named import UniquelyNamed
from models.names import key_of, set_apart
from models.sessions import InspectionSession
from models.states import OutboxState, SessionStatus, status_rank
from models.sync import OutboxEntry, SyncConflict
from models.synced import Master, Synced, SyncKind, snapshot, split_fields, synced_types
from models.tracking import remote_changes
from sync.shared.merge import fields_to_take, merge_owned, with_field_states
from sync.shared.problems import may_retry, problem_code
from sync.shared.protocol import ChangeResult, FieldConflict, Outcome, PulledChange, SnapshotRecord
from sync.shared.records import holder_of, lacking, missing_parent, table_of, unique_columns
from sync.station.audit_chain import take_place
from sync.station.outbox import WaitingChange, send_whole
from sync.station.state import COMPARED_TO, NEWEST_CLOCK, get_value, set_value

_NAMING = frozenset({"code", "username", "deleted_at"})
"""Fields with which the key of a record's name changes."""
_PROGRESS = frozenset({"status", "started_at", "completed_at"})
"""Fields of a session that belong together."""


class ResyncNeeded(Exception):
    """A pulled change does not fit what is here; only the snapshot has the rest."""


@dataclass(slots=True)
class Received:
    """What taking in a page did."""

    taken: int = 0
    skipped: int = 0
    conflicts: int = 0
    touched: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Acknowledged:
    """What the answers to a batch did."""

    accepted: int = 0
    dead: int = 0
    retried: int = 0
    conflicts: int = 0


def take_changes(session: Session, clock: HybridLogicalClock, changes: Sequence[PulledChange]) -> Received:
    """Take pulled changes into the store within the caller's transaction.

    Raises:
        ResyncNeeded: when one names a record that is not here.
    """
    received = Received()
    with remote_changes(session):
        for change in changes:
            revs = dict.fromkeys(change.fields, change.rev)
            news = _News(change.rev, change.clock, change.fields, revs)
            taken = _take(session, change.entity, change.entity_id, news)
            _count(received, taken, change.entity, change.entity_id)
            received.conflicts += keep_conflicts(
                session, change.entity, change.entity_id, change.change_id, change.conflicts
            )
            clock.observe(Stamp.parse(change.clock))
        if changes:
            set_value(session, NEWEST_CLOCK, str(clock.now()))
    return received


def take_snapshot(session: Session, clock: HybridLogicalClock, records: Sequence[SnapshotRecord]) -> Received:
    """Take records of a snapshot into the store within the caller's transaction; what waits in the outbox stays."""
    received = Received()
    with remote_changes(session):
        for record in records:
            revs = {name: record.field_revs.get(name) or record.rev or 0 for name in record.fields}
            _forget_positions(session, record)
            lost = _lost_of(session, record)
            fields = {name: value for name, value in record.fields.items() if name not in lost}
            if not fields:
                received.skipped += 1
                continue
            try:
                news = _News(record.rev or 0, record.clock, fields, revs, record.field_clocks)
                taken = _take(session, record.entity, record.entity_id, news)
            except ResyncNeeded:
                # A child that came to the server after its parent's page was read; the pull brings both.
                received.skipped += 1
                continue
            if lost:
                send_whole(session, session.get_one(synced_types()[record.entity], record.entity_id))
            _count(received, taken, record.entity, record.entity_id)
            if record.clock:
                clock.observe(Stamp.parse(record.clock))
        if records:
            set_value(session, NEWEST_CLOCK, str(clock.now()))
    return received


def take_results(session: Session, sent: Mapping[str, WaitingChange], results: Sequence[ChangeResult]) -> Acknowledged:
    """Take the server's answers: what it accepted leaves the outbox, what it refused for good is a dead letter.

    Args:
        session: the caller's transaction.
        sent: the pushed entries by change id.
        results: the answers.
    """
    done = Acknowledged()
    accepted: list[tuple[WaitingChange, ChangeResult]] = []
    with remote_changes(session):
        for result in results:
            entry = sent.get(result.change_id)
            if entry is None:
                continue
            if result.outcome is Outcome.REJECTED:
                _take_refusal(session, entry.sequence, result, done)
                continue
            done.accepted += 1
            done.conflicts += keep_conflicts(session, entry.entity, entry.entity_id, entry.change_id, result.conflicts)
            accepted.append((entry, result))
        _learn_revs(session, accepted)
        if accepted:
            session.execute(
                delete(OutboxEntry).where(OutboxEntry.sequence.in_([entry.sequence for entry, _ in accepted])),
                execution_options={"synchronize_session": False},
            )
        _take_back_values(session, accepted)
    return done


def _forget_positions(session: Session, record: SnapshotRecord) -> None:
    """Take a record's fields from the snapshot, even at lower positions than held here.

    The snapshot is the server's state of this moment. A server restored from a backup reuses positions, and
    what is remembered of the old ones would keep every later change away.
    """
    record_type = synced_types().get(record.entity)
    present = session.get(record_type, record.entity_id) if record_type else None
    if present is None:
        return
    if isinstance(present, Master):
        present.field_clocks = {name: {**state, "rev": None} for name, state in present.field_clocks.items()}
    present.rev = None if record.rev is None else min(present.rev or record.rev, record.rev)


def _lost_of(session: Session, record: SnapshotRecord) -> frozenset[str]:
    """Return the fields of a session of which the server has lost the newer state that it had acknowledged.

    All of them where its stamp is older: the comparison that was asked for sends the session again. Where somebody has
    changed it there since, the status alone tells. While a change of it waits here, an older state says nothing.
    """
    if record.entity != InspectionSession.entity or get_value(session, COMPARED_TO) is None:
        return frozenset()
    present = session.get(InspectionSession, record.entity_id)
    if present is None or waiting_fields(session, record.entity, record.entity_id):
        return frozenset()
    if record.clock < present.clock:
        return frozenset(record.fields)
    behind = status_rank(SessionStatus(record.fields["status"])) < status_rank(present.status)
    return _PROGRESS if behind else frozenset()


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
        session.add(
            SyncConflict(
                entity=entity,
                entity_id=entity_id,
                field=conflict.field,
                change_id=change_id,
                device_id=Stamp.parse(conflict.lost_clock).device if conflict.lost_clock else "",
                kept_value=conflict.kept_value,
                kept_clock=conflict.kept_clock,
                kept_by=conflict.kept_by,
                lost_value=conflict.lost_value,
                lost_clock=conflict.lost_clock,
                lost_by=conflict.lost_by,
            )
        )
    return new


def waiting_fields(session: Session, entity: str, entity_id: str) -> frozenset[str]:
    """Return the fields of a record with a local change the server has not taken: waiting, or refused and kept."""
    query = select(OutboxEntry.fields).where(OutboxEntry.entity_id == entity_id, OutboxEntry.entity == entity)
    return frozenset(name for fields in session.scalars(query) for name in fields)


@dataclass(frozen=True, slots=True)
class _News:
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


def _take(session: Session, entity: str, entity_id: str, news: _News) -> bool:
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


def _take_new(session: Session, record_type: type[Synced], entity_id: str, news: _News) -> bool:
    values, extra = split_fields(record_type, dict(news.fields))
    if lacking(record_type, {"id": entity_id, **values}) or missing_parent(session, record_type, values):
        raise ResyncNeeded(f"{record_type.entity} {entity_id}")
    _make_room(session, record_type, entity_id, values)
    key = _free_key(session, record_type, entity_id, values)
    record = record_type(id=entity_id, rev=news.rev, clock=news.clock, extra=extra, **values)
    if isinstance(record, Master):
        for name in news.fields:
            record.field_clocks = with_field_states(
                record.field_clocks, {name: None}, rev=news.revs.get(name, news.rev), clock=news.clock_of(name)
            )
    if key is not None and isinstance(record, UniquelyNamed):
        record.name_key = key
    session.add(record)
    session.flush()
    return True


def _take_update(session: Session, present: Synced, news: _News) -> bool:
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
    whole = {**_current_unique(present), **values}
    _make_room(session, type(present), present.id, whole)
    named = not _NAMING.isdisjoint(values)
    key = _free_key(session, type(present), present.id, whole) if named else None
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


def _current_unique(present: Synced) -> dict[str, Any]:
    names = [*unique_columns(type(present)), getattr(present, "unique_name", ""), "deleted_at"]
    return {name: getattr(present, name) for name in names if hasattr(present, name)}


def _make_room(session: Session, record_type: type[Synced], entity_id: str, values: Mapping[str, Any]) -> None:
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


def _stand_in(record: Synced, name: str, value: Any) -> str:
    """Return what a record has in place of a unique ``value`` that is another one's here."""
    length = getattr(table_of(type(record)).columns[name].type, "length", None) or 64
    mark = f"~{record.id[-6:]}"
    return f"{str(value)[: length - len(mark)]}{mark}"


def _take_back_values(session: Session, accepted: Iterable[tuple[WaitingChange, ChangeResult]]) -> None:
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
            _make_room(session, record_type, record.id, {**_current_unique(record), **back})
            key = _free_key(session, record_type, record.id, {**_current_unique(record), **back})
            for name, value in back.items():
                setattr(record, name, value)
            if key is not None and isinstance(record, UniquelyNamed):
                record.name_key = key
            session.flush()


def _free_key(session: Session, record_type: type[Synced], record_id: str, values: Mapping[str, Any]) -> str | None:
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


def _take_refusal(session: Session, sequence: int, result: ChangeResult, done: Acknowledged) -> None:
    entry = session.get(OutboxEntry, sequence)
    if entry is None:
        return
    entry.attempts += 1
    entry.last_error = problem_code(result.problem)
    if may_retry(result.problem):
        done.retried += 1
        return
    done.dead += 1
    entry.state = OutboxState.DEAD
    entry.problem = result.problem


def _learn_revs(session: Session, accepted: Iterable[tuple[WaitingChange, ChangeResult]]) -> None:
    """Note the positions of changes of ours, so that older changes of others pulled later do not undo them."""
    types = synced_types()
    newest: dict[type[Synced], dict[str, int]] = {}
    for entry, result in accepted:
        record_type = types.get(entry.entity)
        if record_type is None or result.rev is None:
            continue
        if issubclass(record_type, Master):
            _learn_rev(session, record_type, entry, result)
        else:
            revs = newest.setdefault(record_type, {})
            revs[entry.entity_id] = max(revs.get(entry.entity_id, 0), result.rev)
    session.flush()
    for record_type, revs in newest.items():
        # Past the recorder: a position is no change that travels. No object of these records is loaded here.
        columns = table_of(record_type).c
        older = or_(columns.rev.is_(None), columns.rev < bindparam("newest"))
        statement = update(table_of(record_type)).where(columns.id == bindparam("of"), older)
        values = [{"of": record_id, "newest": rev} for record_id, rev in revs.items()]
        session.connection().execute(statement.values(rev=bindparam("newest")), values)


def _learn_rev(session: Session, record_type: type[Master], entry: WaitingChange, result: ChangeResult) -> None:
    record = session.get(record_type, entry.entity_id)
    if record is None or result.rev is None:
        return
    lost = {conflict.field for conflict in result.conflicts}
    states = record.field_clocks
    for name in entry.fields:
        if name not in lost:
            state = states.get(name, {})
            rev = max(state.get("rev") or 0, result.rev)
            states = {**states, name: {**state, "rev": rev, "clock": state.get("clock", entry.clock)}}
    record.field_clocks = states


def _count(received: Received, taken: bool, entity: str, entity_id: str) -> None:
    if taken:
        received.taken += 1
        received.touched.add((entity, entity_id))
    else:
        received.skipped += 1
