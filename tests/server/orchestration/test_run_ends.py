"""What an execution has stored and published when its runs end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from inspection.components.registry import StepContext
from models.errors import Unavailable, UserFacingError
from models.executions import Execution, ExecutionRun
from models.pipelines import Pipeline
from models.states import ExecutionStatus
from server.context import ServerContext, open_context
from server.core.retry_after import retry_after_s
from server.core.settings import ServerSettings
from server.executions import service
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.executions.intake import Draft
from server.executions.leases import claim_next
from server.executions.results import RunResult, record_progress, record_run
from server.files.images import check_image
from tests.support.executing import jpeg
from tests.support.worker_runs import ASKING, DEADLINE_S, accept, at_work, run_to_the_end, stored


def test_trouble_that_did_not_pass_says_when_to_try_again(tmp_path: Path, plant: Callable[..., None]) -> None:
    def full(_: StepContext) -> Any:
        raise Unavailable("disk-full")

    plant(resize=full)
    context = open_context(ServerSettings(data_dir=tmp_path, execution_attempts=1))
    one = accept(context)
    run_to_the_end(context, one)
    error = service.state_of(context, ASKING, one).error
    context.close()
    assert error is not None
    assert (error.code, error.retry_after) == ("disk-full", 5)


def test_a_file_that_fails_does_not_stop_the_others(context: ServerContext) -> None:
    area = {"x": 80, "y": 60, "width": 10, "height": 10}
    step = {"id": "cut", "component": "crop", "inputs": {"image": "input"}, "parameters": {"rectangle": area}}
    one = accept(context, jpeg(32, 32), jpeg(96, 72), steps=[step])
    record = run_to_the_end(context, one)
    assert record.status is ExecutionStatus.FAILED
    with context.database.read() as session:
        runs = session.scalars(select(ExecutionRun).order_by(ExecutionRun.position)).all()
    assert [run.status for run in runs] == [ExecutionStatus.FAILED, ExecutionStatus.COMPLETED]
    assert record.error_code == runs[0].error_code


def test_an_end_whose_commit_was_not_confirmed_is_published_with_its_outputs(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = accept(context)
    commit = context.database.local_transaction
    unconfirmed: list[str] = []

    @contextmanager
    def losing(*arguments: Any) -> Iterator[Session]:
        with commit(*arguments) as session:
            yield session
        if stored(context, one).ended_at is not None and not unconfirmed:
            unconfirmed.append(one)
            raise Unavailable("database-unreachable")

    async def end() -> ExecutionEvent:
        async with context.events.subscribe(PIPELINE_PROGRESS) as events, at_work(context):
            async for event in events:
                if event.value.status is ExecutionStatus.COMPLETED:
                    return event.value
        raise AssertionError("the bus has ended")

    monkeypatch.setattr(type(context.database), "local_transaction", lambda _, *given: losing(*given))
    event = asyncio.run(asyncio.wait_for(end(), DEADLINE_S))
    assert (unconfirmed, len(event.output_files)) == ([one], 2)


def test_late_progress_leaves_a_failed_run_its_end(context: ServerContext) -> None:
    accept(context, jpeg(seed=1), jpeg(seed=2))
    with context.database.local_transaction() as session:
        claim = claim_next(session, "w", lease_s=60, most_attempts=2).claim
        assert claim is not None
        record_run(session, claim, 0, RunResult(ExecutionStatus.FAILED, error_code="execution-fault"))
        for position in (0, 1):
            record_progress(session, claim, position, [], 50.0)
    with context.database.read() as session:
        runs = session.scalars(select(ExecutionRun).order_by(ExecutionRun.position)).all()
    assert [(run.status, run.progress) for run in runs] == [
        (ExecutionStatus.FAILED, 100.0),
        (ExecutionStatus.RUNNING, 50.0),
    ]


def test_progress_comes_before_the_end(context: ServerContext) -> None:
    one = accept(context)
    seen: list[ExecutionEvent] = []

    async def work() -> None:
        async with context.events.subscribe(PIPELINE_PROGRESS) as events, at_work(context):
            async for event in events:
                seen.append(event.value)
                if event.value.status is ExecutionStatus.COMPLETED:
                    return

    asyncio.run(asyncio.wait_for(work(), DEADLINE_S))
    assert [(event.step_id, event.step_status) for event in seen if event.step_id] == [
        ("small", "running"),
        ("small", "completed"),
        ("blur", "running"),
        ("blur", "completed"),
    ]
    assert [event.progress for event in seen if event.step_id] == [0.0, 50.0, 50.0, 100.0]
    assert {event.execution_id for event in seen} == {one}
    assert len(seen[-1].output_files) == 2


@pytest.mark.slow
def test_nothing_is_kept_of_a_request_that_the_store_cannot_take(context: ServerContext) -> None:
    accept(context)
    holder = sqlite3.connect(context.settings.data_dir / "server.sqlite3", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        data = jpeg(seed=5)
        with context.database.read() as session:
            pipeline = session.scalars(select(Pipeline)).one()
        draft = Draft(pipeline_id=pipeline.id, files=[check_image(data, "a.jpg", context.settings)])
        with pytest.raises(UserFacingError) as refused:
            service.accept(context, ASKING, draft, None, runs_here=True)
    finally:
        holder.close()
    assert (refused.value.code, refused.value.status) == ("execution-not-accepted", 500)
    assert retry_after_s(refused.value) == 5
    with context.database.read() as session:
        assert len(session.scalars(select(Execution)).all()) == 1
