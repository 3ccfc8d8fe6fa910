"""Who runs an execution: claims with a lease and a fencing token, so that no two workers write one execution's results.

A claim counts ``fencing_token`` up. Every write of a worker names the token of its claim and is refused when another
worker has claimed since: a worker that was taken for dead and comes back writes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.errors import ImageFlowError
from models.executions import Execution
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
        execution: the claimed one.
        ended: executions that the look has ended instead: cancelled, or given up.
    """

    claim: Claim | None = None
    execution: Execution | None = None
    ended: list[Execution] = field(default_factory=list)


def store_now(session: Session) -> datetime.datetime:
    """Return the time of the store, by which leases of workers on several machines are compared."""
    if session.connection().dialect.name == "sqlite":
        return utc_now()
    moment: datetime.datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(datetime.UTC)


def has_waiting(session: Session) -> bool:
    """Return whether there is an execution to claim, without writing."""
    return bool(session.scalar(select(_waiting(store_now(session)).exists())))


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
    query = _waiting(now).order_by(Execution.rank, Execution.id).limit(1).with_for_update(skip_locked=True)
    while found.claim is None:
        record = session.scalars(query).first()
        if record is None:
            return found
        decided = start_of(
            attempts=record.attempts,
            most_attempts=most_attempts,
            cancel_requested=record.cancel_requested_at is not None,
        )
        record.fencing_token += 1
        if decided is Start.RUN:
            record.status = ExecutionStatus.RUNNING
            record.worker_id = worker_id
            record.lease_until = now + datetime.timedelta(seconds=lease_s)
            record.attempts += 1
            record.started_at = record.started_at or now
            found.claim = Claim(record.id, record.fencing_token, record.attempts, record.execution_mode)
            found.execution = record
        else:
            end_now(record, ExecutionStatus.CANCELLED if decided is Start.CANCEL else ExecutionStatus.FAILED, now)
            if decided is Start.GIVE_UP:
                record.error_code, record.error_values = GIVEN_UP, {"attempts": record.attempts}
            session.flush()
            end_runs(session, record)
            found.ended.append(record)
        session.flush()
    return found


def _waiting(now: datetime.datetime) -> Select[Execution]:
    over = or_(Execution.lease_until.is_(None), Execution.lease_until <= now)
    return select(Execution).where(Execution.status.in_([ExecutionStatus.PENDING, ExecutionStatus.RUNNING]), over)


def end_now(record: Execution, status: ExecutionStatus, now: datetime.datetime) -> None:
    """Give an execution whose row is locked its end; its runs keep their states."""
    record.status = status
    record.ended_at = now
    record.worker_id, record.lease_until = None, None
    if record.started_at is not None:
        record.processing_time_ms = _milliseconds(record.started_at, now)


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
    query = select(Execution.cancel_requested_at).where(*_held(claim))
    row = session.execute(query).first()
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
    if record.started_at is not None:
        record.processing_time_ms = _milliseconds(record.started_at, now)
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


def require_held(session: Session, claim: Claim, **values: Any) -> Execution:
    """Lock a claimed execution for the writes of its worker in this transaction, set columns, and return it.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    return _write(session, claim, values)


def _write(session: Session, claim: Claim, values: Mapping[str, Any]) -> Execution:
    # The condition is part of the statement: the row is locked and the token compared in one.
    changed = update(Execution).where(*_held(claim)).values({"fencing_token": claim.fencing_token, **values})
    query = changed.returning(Execution).execution_options(populate_existing=True, synchronize_session=False)
    record = session.scalars(query).first()
    if record is None:
        raise LeaseLostError(claim.execution_id)
    return record


def _held(claim: Claim) -> tuple[Any, ...]:
    return (
        and_(
            Execution.id == claim.execution_id,
            Execution.fencing_token == claim.fencing_token,
            Execution.status == ExecutionStatus.RUNNING,
        ),
    )


def _milliseconds(start: datetime.datetime, end: datetime.datetime) -> float:
    return round((end - start).total_seconds() * 1000, 1)
