"""Workers take over, claim the next execution, give back what they cannot end, and work without the bus."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.errors import Unavailable
from models.executions import Execution, ExecutionOutput
from models.states import ExecutionStatus
from server.context import ServerContext
from server.events.subscriptions import QueuedSubscription
from server.events.work_queue import QueueConsumer
from server.executions.events import ExecutionEvent
from server.executions.jobs import next_job
from server.executions.leases import claim_next
from server.orchestration import starting
from server.orchestration.starting import working
from server.orchestration.worker import Worker
from tests.support.executing import jpeg
from tests.support.worker_runs import Stuck, accept, at_work, no_model, run_to_the_end, stored, until


def test_the_execution_of_a_dead_worker_is_taken_over(context: ServerContext) -> None:
    one = accept(context, jpeg(seed=1), jpeg(seed=2))
    with context.database.local_transaction() as session:
        assert claim_next(session, "dead", lease_s=60, most_attempts=2).claim is not None
        past = utc_now() - datetime.timedelta(seconds=1)
        session.execute(update(Execution).values(lease_until=past))
    record = run_to_the_end(context, one)
    assert (record.status, record.attempts, record.fencing_token) == (ExecutionStatus.COMPLETED, 2, 2)
    with context.database.read() as session:
        assert len(session.scalars(select(ExecutionOutput)).all()) == 4


def test_a_worker_that_stops_gives_back_what_it_runs(context: ServerContext, stuck: Stuck) -> None:
    one = accept(context)

    async def work() -> None:
        worker = asyncio.create_task(Worker(context, 1, None, no_model).run())
        await until(stuck.begun.is_set)
        worker.cancel()
        await until(lambda: stored(context, one).status is ExecutionStatus.PENDING)
        stuck.release.set()
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(work())
    record = stored(context, one)
    assert (record.attempts, record.worker_id) == (0, None)


def at_each_end(context: ServerContext, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let ``act`` be called when the end of an execution is published, which follows its commit."""
    publish = context.events.publish

    def watched(topic: Any, key: str, event: Any) -> None:
        if isinstance(event, ExecutionEvent) and event.status is ExecutionStatus.COMPLETED:
            act()
        publish(topic, key, event)

    monkeypatch.setattr(context.events, "publish", watched)


def test_the_end_of_an_execution_claims_the_next_one(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    executions = [accept(context) for _ in range(3)]
    running: list[int] = []

    def count() -> None:
        running.append(sum(stored(context, one).status is ExecutionStatus.RUNNING for one in executions))

    async def work() -> None:
        at_each_end(context, monkeypatch, count)
        async with at_work(context):
            await until(lambda: len(running) == len(executions))

    asyncio.run(work())
    assert running == [1, 1, 0]


def test_a_worker_that_stops_gives_back_what_it_claimed_with_an_end(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = accept(context), accept(context)

    async def work() -> None:
        worker = asyncio.create_task(Worker(context, 1, None, no_model).run())
        at_each_end(context, monkeypatch, worker.cancel)
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(work())
    assert stored(context, first).status is ExecutionStatus.COMPLETED
    record = stored(context, second)
    assert (record.status, record.attempts, record.worker_id) == (ExecutionStatus.PENDING, 0, None)


async def away(*_: object) -> None:
    raise Unavailable("events-unreachable")


def test_a_worker_works_while_the_bus_is_away(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in (QueuedSubscription, QueueConsumer):
        monkeypatch.setattr(reader, "_join", away)
    assert run_to_the_end(context, accept(context)).status is ExecutionStatus.COMPLETED


def test_a_server_finds_its_first_execution_while_the_bus_is_away(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueuedSubscription, "_join", away)
    one = accept(context)

    async def work() -> None:
        async with working(context, None, no_model):
            await until(lambda: stored(context, one).ended_at is not None)

    asyncio.run(work())


def wrong_statement(session: Session) -> None:
    session.execute(text("SELECT planted FROM nowhere"))


def wrong_code(_: Session) -> None:
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize("fault", [wrong_code, wrong_statement])
def test_a_fault_of_the_next_execution_leaves_the_end_of_this_one(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Session], None]
) -> None:
    first, second = accept(context), accept(context)
    claimed: list[int] = []

    def next_but_beside_an_end(session: Session, *arguments: Any, **named: Any) -> Any:
        claimed.append(1)
        found = next_job(session, *arguments, **named)
        if len(claimed) == 2:
            fault(session)  # With the next execution claimed already, which must be undone.
        return found

    monkeypatch.setattr("server.orchestration.worker.next_job", next_but_beside_an_end)
    run_to_the_end(context, first)
    with context.database.read() as session:
        ended = session.get_one(Execution, first)
        assert (ended.status, ended.attempts) == (ExecutionStatus.COMPLETED, 1)
    run_to_the_end(context, second)


def test_a_worker_loads_nothing_of_grpc() -> None:
    code = "import sys, server.orchestration.worker; sys.exit('grpc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_server_whose_bus_is_closed_looks_for_work_with_pauses(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def look(_: ServerContext) -> bool:
        looks.append(1)
        return len(looks) > 1

    monkeypatch.setattr("server.orchestration.starting._waits", look)
    monkeypatch.setattr("server.orchestration.starting._LOOK_S", 0.2)

    async def second_look_after() -> float:
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(starting._announced(context))
            await until(lambda: bool(looks))
            context.events.close()
            await first
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(second_look_after()) >= 0.2
