"""An execution belongs to one worker at a time, and ends once; the same on both database engines."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from models.database import Database
from models.executions import Execution, ExecutionRun
from models.pipelines import Pipeline
from models.states import ExecutionMode, ExecutionStatus, OutputKind, Priority, Verdict
from models.sync import StoredFile
from server.context import ServerContext
from server.executions.leases import (
    Claim,
    Claimed,
    LeaseLostError,
    claim_next,
    finish,
    give_back,
    hold,
    is_cancelled,
    store_now,
)
from server.executions.repository import outputs_of
from server.executions.results import NewOutput, RunResult, record_run

MOST = 3
OUTPUT = NewOutput(OutputKind.RESULT, "part-result.json", "0" * 64, 2, "application/json")
RESULT = RunResult(ExecutionStatus.COMPLETED, Verdict.NG, [{"step_id": "s"}], [OUTPUT])
WRITES: dict[str, Callable[[Session, Claim], object]] = {
    "hold": lambda session, old: hold(session, old, lease_s=60, progress=1),
    "finish": lambda session, old: finish(session, old, ExecutionStatus.COMPLETED),
    "give_back": give_back,
    "record_run": lambda session, old: record_run(session, old, 0, RESULT),
}


def add(database: Database, *priorities: Priority, **fields: object) -> list[str]:
    """Add waiting executions, one of each priority, and return their ids."""
    ids = []
    with database.transaction() as session:
        pipeline = Pipeline(name="P", definition={"name": "P", "steps": []})
        session.add(pipeline)
        session.flush()
        for priority in priorities or (Priority.NORMAL,):
            made = Execution(
                pipeline_id=pipeline.id,
                pipeline_name="P",
                pipeline_version=1,
                definition={},
                priority=priority,
                rank=priority.rank,
                **fields,
            )
            file = StoredFile(sha256="1" * 64, filename="part.jpg", content_type="image/jpeg", size_bytes=1)
            session.add_all([made, file])
            session.flush()
            session.add(ExecutionRun(execution_id=made.id, position=0, file_id=file.id))
            ids.append(made.id)
    return ids


def claim(context: ServerContext, worker: str = "w1", lease_s: float = 60.0) -> Claimed:
    with context.database.local_transaction() as session:
        return claim_next(session, worker, lease_s=lease_s, most_attempts=MOST)


def taken(context: ServerContext, worker: str = "w1", lease_s: float = 60.0) -> Claim:
    found = claim(context, worker, lease_s).claim
    assert found is not None
    return found


def stored(context: ServerContext, execution_id: str) -> Execution:
    with context.database.read() as session:
        return session.get_one(Execution, execution_id)


def expire(context: ServerContext, execution_id: str) -> None:
    with context.database.local_transaction() as session:
        past = store_now(session) - datetime.timedelta(seconds=1)
        session.execute(update(Execution).where(Execution.id == execution_id).values(lease_until=past))


def test_waiting_executions_begin_by_priority_then_by_age(context: ServerContext) -> None:
    low, first, high, second = add(context.database, Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL)
    assert [taken(context).execution_id for _ in range(4)] == [high, first, second, low]


def test_a_claimed_execution_is_not_claimed_again(context: ServerContext) -> None:
    add(context.database)
    assert taken(context, "w1").attempt == 1
    assert claim(context, "w2").claim is None


def test_an_execution_is_taken_over_after_its_lease(context: ServerContext) -> None:
    (one,) = add(context.database)
    first = taken(context, "w1")
    expire(context, one)
    second = taken(context, "w2")
    assert (second.execution_id, second.attempt) == (one, 2)
    assert second.fencing_token > first.fencing_token
    assert stored(context, one).worker_id == "w2"


@pytest.mark.parametrize("write", list(WRITES))
def test_a_worker_that_was_taken_for_dead_writes_nothing(context: ServerContext, write: str) -> None:
    (one,) = add(context.database)
    old = taken(context, "w1")
    expire(context, one)
    taken(context, "w2")
    with pytest.raises(LeaseLostError), context.database.local_transaction() as session:
        WRITES[write](session, old)
    assert stored(context, one).status is ExecutionStatus.RUNNING


def test_an_execution_ends_once(context: ServerContext) -> None:
    (one,) = add(context.database)
    held = taken(context)
    with context.database.local_transaction() as session:
        finish(session, held, ExecutionStatus.COMPLETED, progress=100.0)
    with pytest.raises(LeaseLostError), context.database.local_transaction() as session:
        finish(session, held, ExecutionStatus.FAILED)
    record = stored(context, one)
    assert (record.status, record.progress, record.worker_id) == (ExecutionStatus.COMPLETED, 100.0, None)
    assert record.processing_time_ms is not None
    assert claim(context).claim is None


def test_the_last_run_ends_its_execution_with_what_it_put_out(context: ServerContext) -> None:
    (one,) = add(context.database)
    held = taken(context)
    with context.database.local_transaction() as session:
        ended = record_run(session, held, 0, RESULT)
    assert ended is not None
    assert (ended.status, [file.sha256 for file in ended.output_files]) == (ExecutionStatus.COMPLETED, [OUTPUT.sha256])
    record = stored(context, one)
    assert (record.status, record.progress, record.worker_id) == (ExecutionStatus.COMPLETED, 100.0, None)
    assert record.processing_time_ms == ended.total_time_ms
    with context.database.read() as session:
        run = session.get_one(ExecutionRun, (one, 0))
        assert (run.status, run.verdict, run.steps) == (RESULT.status, Verdict.NG, RESULT.steps)
        assert outputs_of(session, one) == ended.output_files


def test_an_execution_fails_with_the_error_of_its_run(context: ServerContext) -> None:
    (one,) = add(context.database)
    failed = RunResult(ExecutionStatus.FAILED, error_code="object-unknown", error_values={"sha256": "0" * 64})
    held = taken(context)
    with context.database.local_transaction() as session:
        record_run(session, held, 0, failed)
    record = stored(context, one)
    assert (record.status, record.error_code) == (ExecutionStatus.FAILED, "object-unknown")
    assert record.error_values == failed.error_values


def test_an_error_that_names_what_an_engine_refuses_is_recorded(context: ServerContext) -> None:
    (one,) = add(context.database)
    values = {"name": "pu\0mp\ud800.png", "share": float("nan")}
    failed = RunResult(ExecutionStatus.FAILED, error_code="image-truncated", error_values=values)
    held = taken(context)
    with context.database.local_transaction() as session:
        record_run(session, held, 0, failed)
    assert stored(context, one).error_values == {"name": "pu\ufffdmp\ufffd.png", "share": "NaN"}


def test_an_execution_whose_workers_die_is_given_up(context: ServerContext) -> None:
    (one,) = add(context.database)
    for _ in range(MOST):
        taken(context)
        expire(context, one)
    found = claim(context)
    assert found.claim is None
    assert [(ended.id, ended.status, ended.error_code) for ended in found.ended] == [
        (one, ExecutionStatus.FAILED, "execution-given-up")
    ]
    assert stored(context, one).error_values == {"attempts": MOST}


def test_a_cancelled_execution_of_a_dead_worker_is_not_begun_again(context: ServerContext) -> None:
    (one,) = add(context.database)
    taken(context)
    with context.database.local_transaction() as session:
        session.execute(update(Execution).values(cancel_requested_at=store_now(session)))
    expire(context, one)
    found = claim(context)
    assert (found.claim, [ended.status for ended in found.ended]) == (None, [ExecutionStatus.CANCELLED])


def test_holding_prolongs_the_lease(context: ServerContext) -> None:
    (one,) = add(context.database)
    held = taken(context, lease_s=1)
    before = stored(context, one).lease_until
    with context.database.local_transaction() as session:
        assert hold(session, held, lease_s=600, progress=25.0) is False
    record = stored(context, one)
    assert before is not None
    assert record.lease_until is not None
    assert record.lease_until > before
    assert record.progress == 25.0


def test_the_holder_sees_that_it_is_to_cancel(context: ServerContext) -> None:
    (one,) = add(context.database)
    held = taken(context)
    with context.database.read() as session:
        assert is_cancelled(session, held) is False
    with context.database.local_transaction() as session:
        session.execute(update(Execution).where(Execution.id == one).values(cancel_requested_at=store_now(session)))
    with context.database.read() as session:
        assert is_cancelled(session, held) is True


def test_what_is_given_back_waits_for_its_pause(context: ServerContext) -> None:
    (one,) = add(context.database)
    held = taken(context)
    with context.database.local_transaction() as session:
        give_back(session, held, pause_s=600, execution_mode=ExecutionMode.KAFKA_FALLBACK)
    assert claim(context).claim is None
    expire(context, one)
    assert taken(context).execution_mode is ExecutionMode.KAFKA_FALLBACK


def test_workers_that_claim_at_once_get_different_executions(context: ServerContext) -> None:
    ids = add(context.database, *[Priority.NORMAL] * 12)
    claimed: list[str] = []

    def work(name: str) -> None:
        while (found := claim(context, name).claim) is not None:
            claimed.append(found.execution_id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(ids)
