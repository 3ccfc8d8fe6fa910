"""Sees every write to a record that travels and hands it to a recorder within the same transaction.

On a station the recorder writes outbox entries, on the server change-log entries. Because it hangs on the flush itself,
no write can skip it; bulk statements, which would, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from sqlalchemy import event, inspect
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from models.base import Base
from models.clock import utc_now
from models.states import ChangeOperation
from models.synced import Master, Synced, to_wire, wire_fields

_REMOTE = "imageflow.remote"
_RECORDER = "imageflow.recorder"


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change about to be flushed.

    Attributes:
        record: the changed record; the recorder sets its ``clock`` (and ``rev`` on the server).
        operation: insert, update, or delete (a master whose ``deleted_at`` was just set).
        fields: changed wire fields in JSON form; all of them for an insert.
    """

    record: Synced
    operation: ChangeOperation
    fields: dict[str, Any]


class ChangeRecorder(Protocol):
    """Writes the book-keeping of changes into the same transaction."""

    def record(self, session: Session, changes: Sequence[RecordedChange]) -> None:
        """Add what must be committed together with ``changes``; parents come before children."""


@contextmanager
def remote_changes(session: Session) -> Iterator[None]:
    """Within this block writes come from the other side and are recorded by whoever applies them, not again here.

    The block flushes at its end, so nothing of it is left to be recorded later.
    """
    session.flush()
    session.info[_REMOTE] = True
    try:
        yield
        session.flush()
    finally:
        session.info.pop(_REMOTE, None)


def changed_fields(record: Synced) -> dict[str, Any]:
    """Return the wire fields of a persistent record that differ from the database, in JSON form."""
    state = inspect(record)
    return {
        name: to_wire(getattr(record, name))
        for name in wire_fields(type(record))
        if state.attrs[name].history.has_changes()
    }


def pending_changes(session: Session) -> list[RecordedChange]:
    """Return the changes a flush would write to records that travel, parents before children.

    Raises:
        RuntimeError: when a row of such a record is removed: masters are marked deleted, facts stay. A bug.
    """
    order = _table_order()
    changes: list[RecordedChange] = []
    for record in session.deleted:
        if isinstance(record, Synced):
            raise RuntimeError(f"{record.entity} {record.id} travels and must not be removed")
    for record in session.new:
        if isinstance(record, Synced):
            fields = {name: to_wire(getattr(record, name)) for name in wire_fields(type(record))}
            changes.append(RecordedChange(record, ChangeOperation.INSERT, {**record.extra, **fields}))
    for record in session.dirty:
        if not isinstance(record, Synced):
            continue
        fields = changed_fields(record)
        if not fields:
            continue
        if isinstance(record, Master) and "updated_at" not in fields:
            record.updated_at = utc_now()
            fields["updated_at"] = to_wire(record.updated_at)
        deleted = fields.get("deleted_at") is not None
        changes.append(RecordedChange(record, ChangeOperation.DELETE if deleted else ChangeOperation.UPDATE, fields))
    changes.sort(key=lambda change: order[inspect(change.record).mapper.local_table.name])
    return changes


@cache
def _table_order() -> dict[str, int]:
    """Return the place of each table, parents before children; sorting them takes longer than the rest of a flush."""
    return {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}


class TrackedSession(Session):
    """A session whose recorder sees every change that it flushes.

    Listeners stand on the class: to add them to each session takes longer than a small unit of work.
    """

    @property
    def recorder(self) -> ChangeRecorder | None:
        """Who sees the changes; None for a store opened to look at or to migrate."""
        return cast("ChangeRecorder | None", self.info.get(_RECORDER))

    @recorder.setter
    def recorder(self, recorder: ChangeRecorder | None) -> None:
        self.info[_RECORDER] = recorder


@event.listens_for(TrackedSession, "before_flush")
def _record(flushed: TrackedSession, context: UOWTransaction, instances: object) -> None:
    del context, instances
    if flushed.recorder is None or flushed.info.get(_REMOTE):
        return
    changes = pending_changes(flushed)
    if changes:
        flushed.recorder.record(flushed, changes)


@event.listens_for(TrackedSession, "do_orm_execute")
def _refuse_bulk(execution: ORMExecuteState) -> None:
    if not (execution.is_update or execution.is_delete or execution.is_insert):
        return
    session, mapper = execution.session, execution.bind_mapper
    if not isinstance(session, TrackedSession) or session.recorder is None:
        return
    if mapper is not None and issubclass(mapper.class_, Synced):
        raise RuntimeError(f"bulk writes to {mapper.class_.__name__} would skip its recorder")
