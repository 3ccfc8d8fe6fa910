"""Who runs an execution: claims with a lease and a fencing token, so that no two workers write one execution's results.

A claim counts ``fencing_token`` up. Every write of a worker names the token of its claim and is refused when another
worker has claimed since: a worker that was taken for dead and comes back writes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.base import UtcDateTime
from models.clock import utc_now
from models.errors import ImageFlowError
from models.executions import Execution
from models.prepared import Prepared
from models.states import ExecutionMode, ExecutionStatus
from server.executions.repository import end_runs
from server.executions.rules import Start, start_of

GIVEN_UP = "execution-given-up"


class LeaseLostError(ImageFlowError):
    """Another worker has claimed the execution, or it has ended; nothing of this worker is written any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to an execution.

    Attributes:
        execution_id: of the execution.
        fencing_token: of this claim.
        attempt: from 1.
        execution_mode: how the execution came.
    """

    execution_id: str
    fencing_token: int
    attempt: int
    execution_mode: ExecutionMode


@dataclass(slots=True)
class Claimed:
    """What a look for work gave.

    Attributes:
        claim: None when nothing waits.
        definition: of the claimed execution, JSON values.
        criteria: that it judges by, JSON values.
        ended: executions that the look has ended instead: cancelled, or given up.
    """

    claim: Claim | None = None
    definition: dict[str, Any] = field(default_factory=dict)
    criteria: dict[str, Any] = field(default_factory=dict)
    ended: list[Execution] = field(default_factory=list)


def store_now(session: Session) -> datetime.datetime:
    """Return the time of the store, by which leases of workers on several machines are compared."""
    if session.connection().dialect.name == "sqlite":
        return utc_now()
    moment: datetime.datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(datetime.UTC)


def has_waiting(session: Session) -> bool:
    """Return whether there is an execution to claim, without writing."""
    return bool(session.scalar(_HAS_WAITING, {"now": store_now(session)}))


def claim_next(session: Session, worker_id: str, *, lease_s: float, most_attempts: int) -> Claimed:
    """Claim the execution that is next: by priority, then by age; one whose worker's lease is over counts as waiting.

    Args:
        session: a transaction of its own. On PostgreSQL rows that another worker is claiming are passed over.
        worker_id: who claims.
        lease_s: seconds until another worker may claim it, unless ``hold`` prolongs them.
        most_attempts: an execution that has been begun so often is ended as failed.
    """
    found = Claimed()
    now = store_now(session)
    connection = session.connection()
    while found.claim is None:
        waiting = _NEXT.first(connection, {"now": now})
        if waiting is None:
            return found
        decided = start_of(
            attempts=waiting.attempts,
            most_attempts=most_attempts,
            cancel_requested=waiting.cancel_requested_at is not None,
        )
        if decided is Start.RUN:
            until = now + datetime.timedelta(seconds=lease_s)
            given = {"of_execution": waiting.id, "by": worker_id, "until": until, "now": now}
            (row,) = _CLAIM.all(connection, given)
            found.claim = Claim(waiting.id, row.fencing_token, row.attempts, row.execution_mode)
            found.definition, found.criteria = row.definition, row.criteria
        else:
            found.ended.append(_ended_instead(session, waiting.id, decided, now))
    return found


def _ended_instead(session: Session, execution_id: str, decided: Start, now: datetime.datetime) -> Execution:
    """End an execution whose row is locked instead of running it, and return it."""
    record = session.get_one(Execution, execution_id)
    record.fencing_token += 1
    end_now(record, ExecutionStatus.CANCELLED if decided is Start.CANCEL else ExecutionStatus.FAILED, now)
    if decided is Start.GIVE_UP:
        record.error_code, record.error_values = GIVEN_UP, {"attempts": record.attempts}
    session.flush()
    end_runs(session, record)
    return record


def end_now(record: Execution, status: ExecutionStatus, now: datetime.datetime) -> None:
    """Give an execution whose row is locked its end; its runs keep their states."""
    record.status = status
    record.ended_at = now
    record.worker_id, record.lease_until = None, None
    record.processing_time_ms = time_between(record.started_at, now)


def hold(session: Session, claim: Claim, *, lease_s: float, progress: float) -> bool:
    """Prolong the lease of a claim and record how far it is; return whether somebody asked to cancel.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    until = store_now(session) + datetime.timedelta(seconds=lease_s)
    return _write(session, claim, {"lease_until": until, "progress": progress}).cancel_requested_at is not None


def is_cancelled(session: Session, claim: Claim) -> bool:
    """Return whether somebody asked to cancel, without writing.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    row = session.execute(_CANCEL_REQUESTED, _named(claim)).first()
    if row is None:
        raise LeaseLostError(claim.execution_id)
    return row[0] is not None


def finish(session: Session, claim: Claim, status: ExecutionStatus, **values: Any) -> Execution:
    """End a claimed execution, once, and return it.

    Args:
        session: the transaction, which writes the results too.
        claim: of the worker.
        status: how it ends.
        values: further columns.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    now = store_now(session)
    ended = {"status": status, "ended_at": now, "worker_id": None, "lease_until": None, **values}
    record = _write(session, claim, ended)
    record.processing_time_ms = time_between(record.started_at, now)
    return record


def give_back(session: Session, claim: Claim, *, pause_s: float = 0.0, **values: Any) -> Execution:
    """Let a claimed execution wait again, for at least ``pause_s``, and return it.

    Args:
        session: the transaction.
        claim: of the worker.
        pause_s: seconds in which nobody claims it.
        values: further columns.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    until = store_now(session) + datetime.timedelta(seconds=pause_s)
    waits = {"status": ExecutionStatus.PENDING, "worker_id": None, "lease_until": until, **values}
    return _write(session, claim, waits)


def write_held(session: Session, claim: Claim, values: Mapping[str, Any]) -> None:
    """Set columns of a claimed execution, which stays locked for the writes of its worker in this transaction.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    if _write_of(frozenset(values)).run(session.connection(), {**_named(claim), **values}) == 0:
        raise LeaseLostError(claim.execution_id)


@cache
def _write_of(columns: frozenset[str]) -> Prepared:
    return Prepared(_WRITE_HELD.values({name: bindparam(name, type_=_TABLE.c[name].type) for name in columns}))


def _write(session: Session, claim: Claim, values: Mapping[str, Any]) -> Execution:
    # The condition is part of the statement: the row is locked and the token compared in one.
    changed = update(Execution).where(*_HELD).values({"fencing_token": claim.fencing_token, **values})
    query = changed.returning(Execution).execution_options(populate_existing=True, synchronize_session=False)
    record = session.scalars(query, _named(claim)).first()
    if record is None:
        raise LeaseLostError(claim.execution_id)
    return record


def _named(claim: Claim) -> dict[str, Any]:
    """Return the parameters of ``_HELD``."""
    return {"of_execution": claim.execution_id, "of_token": claim.fencing_token}


def time_between(start: datetime.datetime | None, end: datetime.datetime) -> float | None:
    """Return the milliseconds that an execution has taken; None for one that no worker has begun."""
    return None if start is None else round((end - start).total_seconds() * 1000, 1)


_TABLE = cast("Table", Execution.__table__)
_NOW = bindparam("now", type_=UtcDateTime())
_WAITING = (
    or_(_TABLE.c.status == ExecutionStatus.PENDING, _TABLE.c.status == ExecutionStatus.RUNNING),
    or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= _NOW),
)
"""Conditions of an execution that can be claimed ``now``."""
_HELD = (
    _TABLE.c.id == bindparam("of_execution"),
    _TABLE.c.fencing_token == bindparam("of_token"),
    _TABLE.c.status == ExecutionStatus.RUNNING,
)
"""Conditions of an execution whose claim is valid."""
_HAS_WAITING = select(exists().where(*_WAITING))
_NEXT = Prepared(
    select(_TABLE.c.id, _TABLE.c.attempts, _TABLE.c.cancel_requested_at)
    .where(*_WAITING)
    .order_by(_TABLE.c.rank, _TABLE.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = Prepared(
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of_execution"))
    .values(
        fencing_token=_TABLE.c.fencing_token + 1,
        status=ExecutionStatus.RUNNING,
        worker_id=bindparam("by"),
        lease_until=bindparam("until", type_=UtcDateTime()),
        attempts=_TABLE.c.attempts + 1,
        started_at=func.coalesce(_TABLE.c.started_at, _NOW),
    )
    .returning(
        _TABLE.c.fencing_token, _TABLE.c.attempts, _TABLE.c.execution_mode, _TABLE.c.definition, _TABLE.c.criteria
    )
)
_CANCEL_REQUESTED = select(_TABLE.c.cancel_requested_at).where(*_HELD)
_WRITE_HELD = update(_TABLE).where(*_HELD)
