"""Workers cancel, take over, fall back to the bus, and give back what they cannot end."""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inspection.components.registry import InspectionCancelled, StepContext, components
from inspection.imaging.placement import Placement
from models.clock import utc_now
from models.errors import InvalidInput, NotFound, PermissionDenied, Unavailable, UnreadableImage, UserFacingError
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.pipelines import Pipeline
from models.states import ExecutionMode, ExecutionStatus
from models.storage import sha256_of
from server.context import ServerContext, open_context
from server.core.retry_after import retry_after_s
from server.core.settings import ServerSettings
from server.events.subscriptions import QueuedSubscription
from server.events.work_queue import QueueConsumer
from server.executions import service
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.executions.intake import Draft
from server.executions.jobs import next_job
from server.executions.leases import claim_next
from server.executions.pipelines import pipeline_of
from server.executions.results import RunResult, record_progress, record_run
from server.files.images import check_image
from server.orchestration.starting import working
from server.orchestration.worker import Worker
from server.services.step_services import StepAnswer, StoredImage
from tests.support.executing import jpeg
from tests.support.worker_runs import ASKING, DEADLINE_S, accept, at_work, no_model, run_to_the_end, stored, until


class Services:
    """Services that have every step; what they do is a function."""

    def __init__(self, answer: Callable[[], StepAnswer]) -> None:
        self._answer = answer
        self.asked = 0

    def serves(self, component: str, parameters: Mapping[str, Any]) -> bool:
        del component, parameters
        return True

    async def run(
        self, component: str, parameters: Mapping[str, Any], image: StoredImage, *, deadline_s: float | None = None
    ) -> StepAnswer:
        del component, parameters, image, deadline_s
        self.asked += 1
        return self._answer()

    def embeds(self, component: str) -> bool:
        del component
        return False

    async def run_embedded(self, *_: Any, **__: Any) -> Any:
        raise AssertionError


def out_of_reach() -> StepAnswer:
    raise Unavailable("service-unavailable", service="ResizeService", addresses="-", reason="-")


def unknown_model() -> StepAnswer:
    raise NotFound("service-model-unknown", name="m", known="-")


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path, execution_lease_s=2, execution_attempts=2))
    opened.outbox.start()
    yield opened
    opened.close()


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what lets components, by name, do what a function of their context does."""
    known = dict(components())

    def planted(**runs: Callable[[StepContext], Any]) -> None:
        for name, run in runs.items():
            known[name] = replace(known[name], run=lambda _parameters, _inputs, context, run=run: run(context))

    monkeypatch.setattr("inspection.pipeline.validation.components", lambda: known)
    pipeline_of.cache_clear()
    yield planted
    pipeline_of.cache_clear()


@dataclass(frozen=True)
class Stuck:
    """A component that waits, deaf to a cancelled run."""

    begun: threading.Event
    release: threading.Event


@pytest.fixture
def stuck(plant: Callable[..., None]) -> Iterator[Stuck]:
    """Let the component resize wait until it is released, at the latest when the test ends."""
    made = Stuck(threading.Event(), threading.Event())

    def wait(_: StepContext) -> Any:
        made.begun.set()
        made.release.wait(DEADLINE_S)
        raise InspectionCancelled

    plant(resize=wait)
    yield made
    made.release.set()


def test_a_running_execution_is_cancelled_within_a_second(context: ServerContext, stuck: Stuck) -> None:
    one = accept(context)

    async def work() -> float:
        async with at_work(context):
            await until(stuck.begun.is_set)
            began = asyncio.get_running_loop().time()
            service.cancel(context, ASKING, one)
            await until(lambda: stored(context, one).status is ExecutionStatus.CANCELLED)
            took = asyncio.get_running_loop().time() - began
            stuck.release.set()
        return took

    assert asyncio.run(work()) < 1.0


BESIDE_EACH_OTHER = [
    {"id": "small", "component": "resize", "inputs": {"image": "input"}, "parameters": {"width": 64, "height": 64}},
    {"id": "blur", "component": "filter", "inputs": {"image": "input"}},
]


def until_cancelled(context: StepContext) -> Any:
    """Work as a long step does: until its run is stopped."""
    assert context.cancel is not None
    assert context.cancel.wait(DEADLINE_S)
    context.stop_if_cancelled()


def test_a_long_step_has_stopped_when_its_execution_is_cancelled(
    context: ServerContext, plant: Callable[..., None]
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def long(step: StepContext) -> Any:
        begun.set()
        try:
            until_cancelled(step)
        finally:
            stopped.set()

    plant(resize=long)
    one = accept(context)

    async def work() -> bool:
        async with at_work(context):
            await until(begun.is_set)
            service.cancel(context, ASKING, one)
            await until(lambda: stored(context, one).status is ExecutionStatus.CANCELLED)
            return stopped.is_set()

    assert asyncio.run(work())


def test_a_step_beside_one_that_failed_has_stopped_when_the_execution_ends(
    context: ServerContext, plant: Callable[..., None]
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def long(step: StepContext) -> Any:
        begun.set()
        try:
            until_cancelled(step)
        finally:
            stopped.set()

    def failing(_: StepContext) -> Any:
        assert begun.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")

    plant(filter=long, resize=failing)
    one = accept(context, steps=BESIDE_EACH_OTHER)

    async def work() -> bool:
        async with at_work(context):
            await until(lambda: stored(context, one).ended_at is not None)
            return stopped.is_set()

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


def test_an_execution_whose_services_do_not_answer_goes_on_over_the_bus(context: ServerContext) -> None:
    services = Services(out_of_reach)
    record = run_to_the_end(context, accept(context), services)
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)
    assert services.asked == 1


def test_a_step_whose_model_no_service_knows_runs_in_the_worker(context: ServerContext) -> None:
    record = run_to_the_end(context, accept(context), Services(unknown_model))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.DIRECT_GRPC)


def test_a_fault_is_tried_again_until_it_is_given_up(context: ServerContext) -> None:
    def fault() -> StepAnswer:
        raise ValueError("a fault of the program")

    record = run_to_the_end(context, accept(context), Services(fault))
    assert (record.status, record.error_code, record.attempts) == (ExecutionStatus.FAILED, "execution-fault", 2)


def output_without_object() -> StepAnswer:
    key = "ab/ab/" + 32 * "ab"
    placement = Placement(width=96, height=72)
    output = StoredImage("imageflow", key, "image/netpbm", 9, width=96, height=72, placement=placement)
    return StepAnswer(output)


def object_unknown() -> StepAnswer:
    raise NotFound("object-unknown")


def not_allowed() -> StepAnswer:
    raise PermissionDenied("object-not-allowed", bucket="b", key="k")


@pytest.mark.parametrize("answer", [object_unknown, not_allowed])
def test_an_execution_goes_on_over_the_bus_when_a_service_has_another_store(
    context: ServerContext, answer: Callable[[], StepAnswer]
) -> None:
    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


def test_an_execution_whose_service_stored_nothing_goes_on_over_the_bus(context: ServerContext) -> None:
    record = run_to_the_end(context, accept(context), Services(output_without_object))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


NO_IMAGE = {
    "unknown format": b"no image",
    "too many pixels": b"P6 100000 100000 255\n" + bytes(64),
    "another format": b"%PDF-1.7",
}


def stored_output(context: ServerContext, data: bytes) -> StepAnswer:
    sha256 = sha256_of(data)
    context.objects.put(sha256, data)
    key = context.objects.object_key(sha256)
    placement = Placement(width=96, height=72)
    return StepAnswer(StoredImage(context.objects.bucket, key, "", len(data), width=96, height=72, placement=placement))


@pytest.mark.parametrize("data", NO_IMAGE.values(), ids=NO_IMAGE)
def test_an_execution_whose_service_stored_no_image_goes_on_over_the_bus(context: ServerContext, data: bytes) -> None:
    record = run_to_the_end(context, accept(context), Services(lambda: stored_output(context, data)))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


def test_an_execution_whose_service_cannot_read_the_image_of_another_one_goes_on(context: ServerContext) -> None:
    asked = []

    def answer() -> StepAnswer:
        asked.append(None)
        if len(asked) == 1:
            return stored_output(context, b"no image")
        raise UnreadableImage("image-unknown-format", name="image")

    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)
    assert len(asked) == 2


def test_the_image_of_the_client_that_a_service_cannot_read_ends_its_execution(context: ServerContext) -> None:
    def answer() -> StepAnswer:
        raise UnreadableImage("image-damaged", name="image", format="jpeg")

    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.error_code) == (ExecutionStatus.FAILED, "image-damaged")


def test_an_image_that_the_server_itself_has_lost_is_no_failure_of_a_service(context: ServerContext) -> None:
    class Embedded(Services):
        def embeds(self, component: str) -> bool:
            return bool(component)

    execution_id = accept(context, jpeg())
    context.objects.delete(sha256_of(jpeg()))
    record = run_to_the_end(context, execution_id, Embedded(out_of_reach))
    assert (record.status, record.error_code) == (ExecutionStatus.FAILED, "object-unknown")
    assert record.execution_mode is ExecutionMode.DIRECT_GRPC


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


def test_a_worker_works_while_the_bus_is_away(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("events-unreachable")

    for reader in (QueuedSubscription, QueueConsumer):
        monkeypatch.setattr(reader, "_join", away)
    assert run_to_the_end(context, accept(context)).status is ExecutionStatus.COMPLETED


def test_a_server_finds_its_first_execution_while_the_bus_is_away(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("events-unreachable")

    monkeypatch.setattr(QueuedSubscription, "_join", away)
    one = accept(context)

    async def work() -> None:
        async with working(context, None, no_model):
            await until(lambda: stored(context, one).ended_at is not None)

    asyncio.run(work())


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


def test_a_fault_of_the_next_execution_leaves_the_end_of_this_one(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = accept(context), accept(context)
    claimed: list[int] = []

    def next_but_beside_an_end(*arguments: Any, **named: Any) -> Any:
        claimed.append(1)
        if len(claimed) == 2:
            raise ZeroDivisionError("planted")
        return next_job(*arguments, **named)

    monkeypatch.setattr("server.orchestration.worker.next_job", next_but_beside_an_end)
    run_to_the_end(context, first)
    with context.database.read() as session:
        ended = session.get_one(Execution, first)
        assert (ended.status, ended.attempts) == (ExecutionStatus.COMPLETED, 1)
    run_to_the_end(context, second)


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
