"""The outbox: every change made on this station, written in the transaction that makes it, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.clock import HybridLogicalClock, Stamp
from models.database import actor_of
from models.states import ChangeOperation
from models.sync import OutboxEntry
from models.synced import Master, Synced, snapshot
from models.tracking import RecordedChange
from sync.shared.merge import FieldState
from sync.station.given_up import require_kept
from sync.station.state import NEWEST_CLOCK, get_value, set_value


class WaitingChange(NamedTuple):
    """An outbox entry as it is sent; a backlog of ``OutboxEntry`` objects takes longer to load than to send."""

    sequence: int
    change_id: str
    entity: str
    entity_id: str
    op: ChangeOperation
    base_rev: int | None
    fields: dict[str, Any]
    clock: str
    user_id: str | None

    @classmethod
    def columns(cls) -> list[InstrumentedAttribute[Any]]:
        """Return the columns of ``OutboxEntry`` that it is made of, in its order."""
        return [getattr(OutboxEntry, name) for name in cls._fields]


class OutboxRecorder:
    """Writes an outbox entry for each change of a record that travels.

    Args:
        clock: the station's clock; each change gets a stamp of its own.
    """

    def __init__(self, clock: HybridLogicalClock) -> None:
        self.clock = clock

    def record(self, session: Session, changes: Sequence[RecordedChange]) -> None:
        """Stamp the records and add their outbox entries.

        Raises:
            Conflict: ``record-given-up``, as ``require_kept``.
        """
        user_id = actor_of(session)
        with session.no_autoflush:
            require_kept(session, changes)
            # Another process may have written to this store meanwhile, with a clock of its own.
            newest = newest_stamp(session)
            if newest is not None:
                self.clock.observe(newest)
            for change in changes:
                record = change.record
                stamp = str(self.clock.now())
                session.add(
                    OutboxEntry(
                        entity=record.entity,
                        entity_id=record.id,
                        op=change.operation,
                        base_rev=record.rev,
                        fields=change.fields,
                        clock=stamp,
                        user_id=user_id,
                    )
                )
                record.clock = stamp
                if isinstance(record, Master):
                    known = record.field_clocks
                    # With the user: a server that loses the edit gets it again in that user's name.
                    states = {
                        name: FieldState(known.get(name, {}).get("rev"), stamp, user_id) for name in change.fields
                    }
                    record.field_clocks = {**known, **{name: state.as_json() for name, state in states.items()}}
            set_value(session, NEWEST_CLOCK, record.clock)


def newest_stamp(session: Session) -> Stamp | None:
    """Return the newest stamp this store has given or seen; a clock that starts from it never goes back."""
    value = get_value(session, NEWEST_CLOCK)
    return Stamp.parse(value) if value else None


def send_whole(session: Session, record: Synced) -> None:
    """Put a record that the server has lost into the outbox as it is now, in a block of ``remote_changes``."""
    record.rev = None
    session.add(
        OutboxEntry(
            entity=record.entity,
            entity_id=record.id,
            op=ChangeOperation.INSERT,
            fields=snapshot(record),
            clock=record.clock,
        )
    )


def waiting_fields(session: Session, entity: str, entity_id: str) -> frozenset[str]:
    """Return the fields of a record with a local change the server has not taken: waiting, or refused and kept."""
    query = select(OutboxEntry.fields).where(OutboxEntry.entity_id == entity_id, OutboxEntry.entity == entity)
    return frozenset(name for fields in session.scalars(query) for name in fields)


def change_of(entry: OutboxEntry | WaitingChange) -> dict[str, Any]:
    """Return an outbox entry in its wire form, as ``Change`` reads it."""
    change = {
        "change_id": entry.change_id,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "op": entry.op.value,
        "clock": entry.clock,
        "fields": entry.fields,
    }
    known = {"base_rev": entry.base_rev, "user_id": entry.user_id}
    return change | {name: value for name, value in known.items() if value is not None}
