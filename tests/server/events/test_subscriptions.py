"""What a subscription gets, and when, of what is published while its reader waits."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest
from pydantic import BaseModel, ConfigDict

from models.clock import utc_now
from models.states import EXECUTION_ENDED, ExecutionStatus
from server.events.bus import Subscription
from server.events.in_process import InProcessBus
from server.events.subscriptions import QueuedSubscription
from server.events.topics import Topic, dead_letters_of
from server.events.waker import PATIENCE_S
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent, is_accepted
from tests.support.clock_loop import ClockLoop, run_on_clock

STEP_S = PATIENCE_S / 4


class Step(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int
    last: bool = False


STEP = Topic("subscription-steps", Step, may_wait=lambda step: not step.last)
URGENT = Topic("subscription-alerts", Step)


def is_even(step: Step) -> bool:
    return step.n % 2 == 0


class Reader:
    """Reads a subscription to its end.

    Attributes:
        found: the number of each event, and when it came.
        reading: the task that reads.
    """

    def __init__(self, events: Subscription[Step]) -> None:
        self.found: list[tuple[int, float]] = []
        self.reading = asyncio.create_task(self._read(events))

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.found]

    async def _read(self, events: Subscription[Step]) -> None:
        async for event in events:
            self.found.append((event.value.n, asyncio.get_running_loop().time()))


@pytest.mark.parametrize("topic", [STEP, URGENT])
def test_the_first_event_comes_at_once(topic: Topic[Step]) -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(topic) as events:
            reader = Reader(events)
            await loop.settle()
            bus.publish(topic, "k", Step(n=1))
            await loop.settle()
            assert reader.found == [(1, 0.0)]

    run_on_clock(scenario)


def test_events_that_may_wait_come_together_in_order() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            for number in range(4):
                await loop.move_to(number * STEP_S)
                bus.publish(STEP, f"k{number % 2}", Step(n=number))
                await loop.settle()
            await loop.move_to(PATIENCE_S)
            assert reader.found == [(0, 0.0), (1, PATIENCE_S), (2, PATIENCE_S), (3, PATIENCE_S)]

    run_on_clock(scenario)


def test_events_of_a_topic_that_lets_none_wait_come_each_at_once() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(URGENT) as events:
            reader = Reader(events)
            for number in range(4):
                await loop.move_to(number * STEP_S)
                bus.publish(URGENT, "k", Step(n=number))
                await loop.settle()
            assert reader.found == [(number, number * STEP_S) for number in range(4)]

    run_on_clock(scenario)


def test_an_urgent_event_takes_along_what_waited_before_it() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            for number in range(4):
                await loop.settle()
                bus.publish(STEP, "k", Step(n=number, last=number == 3))
            await loop.settle()
            assert reader.found == [(number, 0.0) for number in range(4)]

    run_on_clock(scenario)


@pytest.mark.parametrize("gap_s", [PATIENCE_S / 7, PATIENCE_S / 2, PATIENCE_S * 0.9, PATIENCE_S * 1.1])
def test_no_event_waits_longer_than_the_patience(gap_s: float) -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            await loop.settle()
            tick_s = gap_s / 50
            for tick in range(30 * 50):
                await loop.move_to(tick * tick_s)
                if tick % 50 == 0:
                    bus.publish(STEP, "k", Step(n=tick))
            waited_s = [came_s - tick * tick_s for tick, came_s in reader.found]
            assert len(waited_s) > 20
            assert max(waited_s) <= PATIENCE_S + tick_s

    run_on_clock(scenario)


def test_a_queue_that_is_half_full_wakes_its_reader_at_once() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus(most_waiting=10)
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            for number in range(100):
                await loop.settle()
                bus.publish(STEP, "k", Step(n=number))
            await loop.move_to(PATIENCE_S)
            assert (reader.numbers, events.missed) == (list(range(100)), 0)

    run_on_clock(scenario)


def test_a_burst_of_several_threads_arrives_in_the_order_of_each() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            await loop.settle()
            threads = [threading.Thread(target=publish, args=(bus, first)) for first in range(0, 400, 100)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                await loop.move_to(loop.time() + STEP_S)
            await loop.move_to(loop.time() + PATIENCE_S)
            for first in range(0, 400, 100):
                of_thread = [number for number in reader.numbers if first <= number < first + 100]
                assert of_thread == list(range(first, first + 100))

    def publish(bus: InProcessBus, first: int) -> None:
        for number in range(first, first + 100):
            bus.publish(STEP, "k", Step(n=number, last=number % 10 == 9))

    run_on_clock(scenario)


def test_an_ended_subscription_delivers_at_once_what_waited() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP) as events:
            reader = Reader(events)
            for number in range(3):
                await loop.settle()
                bus.publish(STEP, "k", Step(n=number))
            bus.close()
            await loop.settle()
            assert (reader.numbers, reader.reading.done()) == ([0, 1, 2], True)

    run_on_clock(scenario)


def test_a_closed_subscription_leaves_no_timer() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP):
            bus.publish(STEP, "k", Step(n=1))
            await loop.settle()
            assert loop.pending == 1
        await loop.settle()
        assert loop.pending == 0

    run_on_clock(scenario)


def test_a_subscription_that_is_dropped_unclosed_is_forgotten_while_events_come() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        events: QueuedSubscription[Step] | None = await bus.subscribe(STEP).__aenter__()
        left = weakref.ref(events)
        bus.publish(STEP, "k", Step(n=1))
        await loop.settle()
        bus.publish(STEP, "k", Step(n=2))
        events = None
        gc.collect()
        assert left() is None

    run_on_clock(scenario)


def test_an_unwanted_event_does_not_wake_the_reader() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(URGENT, is_even) as events:
            Reader(events)
            await loop.settle()
            bus.publish(URGENT, "k", Step(n=1))
            assert loop.calls == 0

    run_on_clock(scenario)


def test_an_unwanted_event_does_not_hold_up_the_next_one() -> None:
    async def scenario(loop: ClockLoop) -> None:
        bus = InProcessBus()
        async with bus.subscribe(STEP, is_even) as events:
            reader = Reader(events)
            for number in (1, 2):
                await loop.settle()
                bus.publish(STEP, "k", Step(n=number))
            await loop.settle()
            assert reader.found == [(2, 0.0)]

    run_on_clock(scenario)


def test_no_dead_letter_may_wait() -> None:
    assert not dead_letters_of(STEP).may_wait(Step(n=1))  # type: ignore[arg-type]


def event_of(status: ExecutionStatus, step_id: str | None = None) -> ExecutionEvent:
    return ExecutionEvent(execution_id="e", status=status, timestamp=utc_now(), step_id=step_id)


@pytest.mark.parametrize("step_id", [None, "resize"])
def test_the_progress_of_an_execution_may_wait(step_id: str | None) -> None:
    assert PIPELINE_PROGRESS.may_wait(event_of(ExecutionStatus.RUNNING, step_id))


@pytest.mark.parametrize("status", [ExecutionStatus.PENDING, *sorted(EXECUTION_ENDED)])
def test_the_acceptance_or_the_end_of_an_execution_may_not_wait(status: ExecutionStatus) -> None:
    assert not PIPELINE_PROGRESS.may_wait(event_of(status))


def test_workers_hear_of_accepted_executions_alone() -> None:
    assert [status for status in ExecutionStatus if is_accepted(event_of(status))] == [ExecutionStatus.PENDING]
