"""Cancelled executions stop their steps, and what is stopped stores nothing more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from inspection.components.registry import StepContext
from models.errors import InvalidInput
from models.executions import ExecutionRun
from models.states import ExecutionStatus
from server.context import ServerContext
from server.executions import service
from tests.support.executing import jpeg
from tests.support.worker_runs import ASKING, DEADLINE_S, Stuck, accept, at_work, run_to_the_end, stored, until


def test_a_running_execution_is_cancelled_while_its_step_does_not_stop(context: ServerContext, stuck: Stuck) -> None:
    one = accept(context)

    async def work() -> None:
        async with at_work(context):
            await until(stuck.begun.is_set)
            service.cancel(context, ASKING, one)
            await until(lambda: stored(context, one).status is ExecutionStatus.CANCELLED)
            stuck.release.set()

    asyncio.run(work())


BESIDE_EACH_OTHER = [
    {"id": "small", "component": "resize", "inputs": {"image": "input"}, "parameters": {"width": 64, "height": 64}},
    {"id": "blur", "component": "filter", "inputs": {"image": "input"}},
]


class LongStep:
    """A component that works until its run is stopped."""

    def __init__(self) -> None:
        self.begun, self.stopped = threading.Event(), threading.Event()

    def __call__(self, context: StepContext) -> Any:
        self.begun.set()
        try:
            assert context.cancel is not None
            assert context.cancel.wait(DEADLINE_S)
            context.stop_if_cancelled()
        finally:
            self.stopped.set()


def test_a_long_step_has_stopped_when_its_execution_is_cancelled(
    context: ServerContext, plant: Callable[..., None]
) -> None:
    long = LongStep()
    plant(resize=long)
    one = accept(context)

    async def work() -> bool:
        async with at_work(context):
            await until(long.begun.is_set)
            service.cancel(context, ASKING, one)
            await until(lambda: stored(context, one).status is ExecutionStatus.CANCELLED)
            return long.stopped.is_set()

    assert asyncio.run(work())


def test_a_step_beside_one_that_failed_has_stopped_when_the_execution_ends(
    context: ServerContext, plant: Callable[..., None]
) -> None:
    long = LongStep()

    def failing(_: StepContext) -> Any:
        assert long.begun.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")

    plant(filter=long, resize=failing)
    one = accept(context, steps=BESIDE_EACH_OTHER)

    async def work() -> bool:
        async with at_work(context):
            await until(lambda: stored(context, one).ended_at is not None)
            return long.stopped.is_set()

    assert asyncio.run(work())
    assert stored(context, one).error_code == "request-malformed"
    steps = service.state_of(context, ASKING, one).steps
    assert {(step.step_id, step.status) for step in steps} == {("small", "failed"), ("blur", "failed")}


def test_a_deaf_step_stores_nothing_after_its_execution_has_ended(context: ServerContext, stuck: Stuck) -> None:
    one = accept(context, steps=BESIDE_EACH_OTHER)
    before = {found.sha256 for found in context.objects.listed()}

    async def work() -> None:
        async with at_work(context):
            await until(stuck.begun.is_set)
            service.cancel(context, ASKING, one)
            await until(lambda: stored(context, one).status is ExecutionStatus.CANCELLED)
            stuck.release.set()

    asyncio.run(work())  # ends with the threads of the worker
    assert {found.sha256 for found in context.objects.listed()} == before


def test_a_file_after_one_that_failed_is_not_taken_for_cancelled(
    context: ServerContext, plant: Callable[..., None]
) -> None:
    cancelled: list[bool] = []

    def failing(step: StepContext) -> Any:
        assert step.cancel is not None
        cancelled.append(step.cancel.is_set())
        raise InvalidInput("request-malformed")

    plant(resize=failing)
    run_to_the_end(context, accept(context, jpeg(seed=1), jpeg(seed=2)))
    assert cancelled == [False, False]


def test_a_waiting_execution_is_cancelled_at_once(context: ServerContext) -> None:
    one = accept(context)
    assert service.cancel(context, ASKING, one).status is ExecutionStatus.CANCELLED
    with context.database.read() as session:
        assert set(session.scalars(select(ExecutionRun.status))) == {ExecutionStatus.CANCELLED}
