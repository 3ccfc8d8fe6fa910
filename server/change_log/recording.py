"""The server's change log: every committed change at a position in commit order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.clock import HybridLogicalClock, utc_now
from models.database import actor_of, require_ordered
from models.ids import new_id
from models.insertion import insert_if_absent
from models.last_work import follow_commit
from models.sessions import InspectionSession
from models.states import ChangeOperation
from models.sync import ChangeLogEntry, ChangeLogHead, SyncState
from models.synced import Fact, Master, Synced
from models.tracking import RecordedChange, TrackedSession
from sync.shared.addressed import ADDRESSED
from sync.shared.merge import with_field_states
from sync.shared.protocol import TOMBSTONE_DAYS

LOG_FLOOR = "log_floor"
LOG_NAME = "log_name"
_CONCERNS = "imageflow.concerns"


class Concern(NamedTuple):
    """Whom log entries concern.

    Attributes:
        author: the station that made the changes, None for the server.
        scope: the only station that may read them, None for all.
    """

    author: str | None
    scope: str | None


Announce = Callable[[frozenset[Concern]], object]


class ChangeLogRecorder:
    """Gives each change made on the server its position in the log, in the transaction that makes it.

    Args:
        clock: the server's clock.
        announce: called after each commit of log entries, with whom they concern.
    """

    def __init__(self, clock: HybridLogicalClock, announce: Announce | None = None) -> None:
        self.clock = clock
        self.announce = announce

    def record(self, session: Session, changes: Sequence[RecordedChange]) -> None:
        """Stamp the records and add their log entries; the server's own audit entries stay on the server."""
        with session.no_autoflush:
            travelling = [change for change in changes if not isinstance(change.record, AuditEntry)]
            for change in changes:
                change.record.clock = str(self.clock.now())
            if not travelling:
                return
            entries: list[dict[str, Any]] = []
            first = allocate(session, len(travelling))
            for position, change in enumerate(travelling, start=first):
                record = change.record
                record.rev = position
                if isinstance(record, Master):
                    record.field_clocks = with_field_states(
                        record.field_clocks, change.fields, rev=position, clock=record.clock, user_id=actor_of(session)
                    )
                made = ChangeMade(new_id(), change.operation, change.fields, record.clock, device_id=None)
                scope = scope_of(session, record)
                entries.append(entry_of(position, (record.entity, record.id), made, scope))
            add_entries(session, entries)


def add_entries(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write log entries and have them announced once they are committed.

    Args:
        session: an open transaction that has taken their positions.
        entries: at least one, of ``entry_of``.
    """
    # Passes by the session, which would keep a record of each: entries are never changed.
    session.connection().execute(_ADD, entries)
    concerns: set[Concern] = session.info.setdefault(_CONCERNS, set())
    concerns.update(Concern(entry["device_id"], entry["scope_device_id"]) for entry in entries)
    recorder = session.recorder if isinstance(session, TrackedSession) else None
    if isinstance(recorder, ChangeLogRecorder) and (announce := recorder.announce) is not None:
        follow_commit(session, _CONCERNS, lambda: announce(frozenset(concerns)))


def allocate(session: Session, count: int = 1) -> int:
    """Take ``count`` positions and return the first.

    The head's row stays locked until the transaction ends, so positions follow the order of commits on every engine.

    Raises:
        RuntimeError: in a transaction that does not hold the order lock. A bug.
    """
    require_ordered(session)
    connection = session.connection()
    last = connection.execute(_TAKE, {"count": count}).scalar()
    if last is None:
        _begin_log(session)
        last = connection.execute(_TAKE, {"count": count}).scalar_one()
    return int(last) - count + 1


@dataclass(frozen=True, slots=True)
class ChangeMade:
    """A change as the log keeps it.

    Attributes:
        change_id: UUID, by which the same change is known again.
        operation: insert, update or delete.
        fields: wire fields in JSON form.
        clock: stamp of the change.
        device_id: the station that made it, None for the server.
    """

    change_id: str
    operation: ChangeOperation
    fields: dict[str, Any]
    clock: str
    device_id: str | None


def entry_of(position: int, record: tuple[str, str], made: ChangeMade, scope: str | None) -> dict[str, Any]:
    """Return the log entry of a change at ``position``, as a row.

    Args:
        position: in the log.
        record: entity and id of what was changed.
        made: the change.
        scope: the only station that may read it, None for all.
    """
    entity, entity_id = record
    return {
        "position": position,
        "change_id": made.change_id,
        "entity": entity,
        "entity_id": entity_id,
        "op": made.operation,
        "fields": made.fields,
        "clock": made.clock,
        "device_id": made.device_id,
        "scope_device_id": scope,
        "committed_at": utc_now(),
    }


_TAKE = (
    update(ChangeLogHead)
    .where(ChangeLogHead.id == 1)
    .values(position=ChangeLogHead.position + bindparam("count"))
    .returning(ChangeLogHead.position)
)
_ADD = insert(cast("Table", ChangeLogEntry.__table__))


def scope_of(session: Session, record: Synced) -> str | None:
    """Return the only station that may read a record, None when all may."""
    if isinstance(record, (InspectionSession, *ADDRESSED)):
        return record.device_id
    if isinstance(record, Fact):
        session_id = getattr(record, "session_id", None)
        owner = _owning_session(session, session_id) if session_id else None
        return owner.device_id if owner else record.device_id
    return None


def _owning_session(session: Session, session_id: str) -> InspectionSession | None:
    for record in session.new:
        if isinstance(record, InspectionSession) and record.id == session_id:
            return record
    return session.get(InspectionSession, session_id)


def head(session: Session) -> int:
    """Return the last position given out."""
    return session.scalar(select(ChangeLogHead.position).where(ChangeLogHead.id == 1)) or 0


def floor(session: Session) -> int:
    """Return the newest position that was pruned; a reader behind it needs the snapshot."""
    value = session.scalar(select(SyncState.value).where(SyncState.key == LOG_FLOOR))
    return int(value or 0)


def log_name(session: Session) -> str:
    """Return the name of this log, part of every cursor, so that none of another log fits; empty before it began."""
    return session.scalar(select(SyncState.value).where(SyncState.key == LOG_NAME)) or ""


def prune(session: Session, now: datetime, days: int = TOMBSTONE_DAYS) -> int:
    """Remove entries older than ``days`` (tombstones stay at least that long) and return how many."""
    limit = now - timedelta(days=max(days, TOMBSTONE_DAYS))
    # The first entry young enough decides, so that a wall clock that jumped makes no hole in the log.
    young = session.scalar(select(func.min(ChangeLogEntry.position)).where(ChangeLogEntry.committed_at >= limit))
    last = (young - 1) if young is not None else head(session)
    if last <= floor(session):
        return 0
    removed = session.connection().execute(delete(ChangeLogEntry).where(ChangeLogEntry.position <= last)).rowcount
    insert_if_absent(session, SyncState(key=LOG_FLOOR, value="0"))
    state = session.get_one(SyncState, LOG_FLOOR, with_for_update=True)
    state.value = str(max(int(state.value), last))
    return int(removed)


def _begin_log(session: Session) -> None:
    """Insert the head's row and the log's name; of two transactions that do so at once, the second finds them."""
    insert_if_absent(session, ChangeLogHead())
    insert_if_absent(session, SyncState(key=LOG_NAME, value=new_id()))
