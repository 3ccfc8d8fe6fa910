"""When the reader of an event loop wakes for what other threads do."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from server.events.waker import PATIENCE_S, Waker
from tests.support.clock_loop import ClockLoop, run_on_clock

STEP_S = PATIENCE_S / 4


class Sleeper:
    """A reader that finds nothing, in the loop it is made in.

    Attributes:
        waker: that wakes it.
        woken: when.
    """

    def __init__(self, loop: ClockLoop, waker: Waker) -> None:
        self.waker = waker
        self.woken: list[float] = []
        self._loop = loop
        waker.begin()
        self._reading = asyncio.create_task(self._read())

    async def wake(self, *, may_wait: bool = False) -> None:
        """Wake the reader, and let it read where it does at once."""
        self.waker.wake(may_wait=may_wait)
        await self._loop.settle()

    async def _read(self) -> None:
        while True:
            self.waker.clear()
            await self.waker.wait()
            self.woken.append(self._loop.time())


Scenario = Callable[[ClockLoop, Sleeper], Coroutine[Any, Any, None]]


def run_with_sleeper(scenario: Scenario, waker: Waker | None = None) -> None:
    """Run a scenario with a reader in a loop of its own."""

    async def begun(loop: ClockLoop) -> None:
        await scenario(loop, Sleeper(loop, waker or Waker()))

    run_on_clock(begun)


def test_a_call_that_may_wait_wakes_at_once_after_a_quiet_time() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        await loop.settle()
        await sleeper.wake(may_wait=True)
        await loop.move_to(PATIENCE_S)
        await sleeper.wake(may_wait=True)
        assert sleeper.woken == [0.0, PATIENCE_S]

    run_with_sleeper(scenario)


def test_calls_that_may_wait_wake_together() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        for step in range(4):
            await loop.move_to(step * STEP_S)
            await sleeper.wake(may_wait=True)
        assert sleeper.woken == [0.0]
        await loop.move_to(PATIENCE_S)
        assert sleeper.woken == [0.0, PATIENCE_S]

    run_with_sleeper(scenario)


def test_calls_that_go_on_wake_once_in_each_time_of_patience() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        for step in range(13):
            await loop.move_to(step * STEP_S)
            await sleeper.wake(may_wait=True)
        assert sleeper.woken == [4 * count * STEP_S for count in range(4)]

    run_with_sleeper(scenario)


def test_an_urgent_call_wakes_at_once_while_others_wait() -> None:
    async def scenario(_: ClockLoop, sleeper: Sleeper) -> None:
        for may_wait in (True, True, False):
            await sleeper.wake(may_wait=may_wait)
        assert sleeper.woken == [0.0, 0.0]

    run_with_sleeper(scenario)


def test_an_urgent_call_leaves_nothing_to_wake_for_later() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        for may_wait in (True, True, False):
            await sleeper.wake(may_wait=may_wait)
        await loop.move_to(PATIENCE_S)
        assert sleeper.woken == [0.0, 0.0]

    run_with_sleeper(scenario)


def test_calls_of_threads_that_are_not_served_need_one_wake() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        await loop.settle()
        threads = [threading.Thread(target=burst, args=(sleeper.waker,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await loop.settle()
        assert (loop.calls, sleeper.woken) == (1, [0.0])

    def burst(waker: Waker) -> None:
        for number in range(100):
            waker.wake(may_wait=number % 2 == 0)

    run_with_sleeper(scenario)


def test_a_call_after_one_was_served_wakes_again() -> None:
    async def scenario(_: ClockLoop, sleeper: Sleeper) -> None:
        for _ in range(3):
            await sleeper.wake(may_wait=False)
        assert sleeper.woken == 3 * [0.0]

    run_with_sleeper(scenario)


def test_there_is_one_timer_at_most() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        running = set()
        for step in range(13):
            await loop.move_to(step * STEP_S)
            for may_wait in (True, False, True):
                await sleeper.wake(may_wait=may_wait)
            running.add(loop.pending)
        assert running == {1}

    run_with_sleeper(scenario)


def test_no_timer_runs_after_a_quiet_time() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        for _ in range(2):
            await sleeper.wake(may_wait=True)
        await loop.move_to(PATIENCE_S)
        await loop.move_to(2 * PATIENCE_S)
        assert loop.pending == 0

    run_with_sleeper(scenario)


def test_no_timer_runs_for_urgent_calls() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        await sleeper.wake()
        assert loop.pending == 0

    run_with_sleeper(scenario)


def test_the_end_drops_the_timer() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        await sleeper.wake(may_wait=True)
        sleeper.waker.end()
        await loop.settle()
        assert loop.pending == 0

    run_with_sleeper(scenario)


def test_the_end_wakes_at_once_while_others_wait() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        for _ in range(2):
            await sleeper.wake(may_wait=True)
        sleeper.waker.end()
        await loop.settle()
        assert sleeper.woken == [0.0, 0.0]

    run_with_sleeper(scenario)


def test_a_call_after_the_end_sets_no_timer() -> None:
    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        sleeper.waker.end()
        await loop.settle()
        await sleeper.wake(may_wait=True)
        assert loop.pending == 0

    run_with_sleeper(scenario)


def test_a_call_after_the_loop_closed_with_a_timer_does_nothing() -> None:
    waker = Waker()

    async def scenario(loop: ClockLoop, sleeper: Sleeper) -> None:
        await sleeper.wake(may_wait=True)
        assert loop.pending == 1

    run_with_sleeper(scenario, waker)
    gc.collect()
    waker.wake()
    waker.wake(may_wait=True)


def test_a_call_that_a_closed_loop_never_served_holds_up_none_of_the_next_loop() -> None:
    waker = Waker()

    async def begin() -> None:
        waker.begin()

    async def scenario(_: ClockLoop, sleeper: Sleeper) -> None:
        await sleeper.wake()
        assert sleeper.woken == [0.0]

    closed = ClockLoop()
    closed.run_until_complete(begin())
    waker.wake()
    closed.close()
    run_with_sleeper(scenario, waker)
