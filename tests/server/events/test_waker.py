"""When the reader of an event loop wakes for what other threads do."""

from __future__ import annotations

import asyncio
import gc
import threading

from server.events.waker import PATIENCE_S, Waker
from tests.support.clock_loop import ClockLoop, run_on_clock

STEP_S = PATIENCE_S / 4


class Sleeper:
    """A reader that finds nothing.

    Attributes:
        woken: when.
    """

    def __init__(self, waker: Waker) -> None:
        self.woken: list[float] = []
        waker.begin()
        self._waker = waker
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            self._waker.clear()
            await self._waker.wait()
            self.woken.append(asyncio.get_running_loop().time())


def test_a_call_that_may_wait_wakes_at_once_after_a_quiet_time() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        await loop.settle()
        waker.wake(may_wait=True)
        await loop.settle()
        await loop.move_to(PATIENCE_S)
        waker.wake(may_wait=True)
        await loop.settle()
        assert sleeper.woken == [0.0, PATIENCE_S]

    run_on_clock(scenario)


def test_calls_that_may_wait_wake_together() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for step in range(4):
            await loop.move_to(step * STEP_S)
            waker.wake(may_wait=True)
            await loop.settle()
        assert sleeper.woken == [0.0]
        await loop.move_to(PATIENCE_S)
        assert sleeper.woken == [0.0, PATIENCE_S]

    run_on_clock(scenario)


def test_calls_that_go_on_wake_once_in_each_time_of_patience() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for step in range(13):
            await loop.move_to(step * STEP_S)
            waker.wake(may_wait=True)
            await loop.settle()
        assert sleeper.woken == [4 * count * STEP_S for count in range(4)]

    run_on_clock(scenario)


def test_an_urgent_call_wakes_at_once_while_others_wait() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for may_wait in (True, True, False):
            waker.wake(may_wait=may_wait)
            await loop.settle()
        assert sleeper.woken == [0.0, 0.0]

    run_on_clock(scenario)


def test_an_urgent_call_leaves_nothing_to_wake_for_later() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for may_wait in (True, True, False):
            waker.wake(may_wait=may_wait)
            await loop.settle()
        await loop.move_to(PATIENCE_S)
        assert sleeper.woken == [0.0, 0.0]

    run_on_clock(scenario)


def test_calls_of_threads_that_are_not_served_need_one_wake() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        await loop.settle()
        threads = [threading.Thread(target=burst, args=(waker,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await loop.settle()
        assert (loop.calls, sleeper.woken) == (1, [0.0])

    def burst(waker: Waker) -> None:
        for number in range(100):
            waker.wake(may_wait=number % 2 == 0)

    run_on_clock(scenario)


def test_a_call_after_one_was_served_wakes_again() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for _ in range(3):
            waker.wake()
            await loop.settle()
        assert sleeper.woken == [0.0] * 3

    run_on_clock(scenario)


def test_there_is_one_timer_at_most() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        Sleeper(waker)
        running = set()
        for step in range(13):
            await loop.move_to(step * STEP_S)
            for may_wait in (True, False, True):
                waker.wake(may_wait=may_wait)
                await loop.settle()
            running.add(loop.pending)
        assert running == {1}

    run_on_clock(scenario)


def test_no_timer_runs_after_a_quiet_time() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        Sleeper(waker)
        for _ in range(2):
            waker.wake(may_wait=True)
            await loop.settle()
        await loop.move_to(PATIENCE_S)
        await loop.move_to(2 * PATIENCE_S)
        assert loop.pending == 0

    run_on_clock(scenario)


def test_no_timer_runs_for_urgent_calls() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        Sleeper(waker)
        waker.wake()
        await loop.settle()
        assert loop.pending == 0

    run_on_clock(scenario)


def test_the_end_drops_the_timer() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        Sleeper(waker)
        waker.wake(may_wait=True)
        await loop.settle()
        waker.end()
        await loop.settle()
        assert loop.pending == 0

    run_on_clock(scenario)


def test_the_end_wakes_at_once_while_others_wait() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        sleeper = Sleeper(waker)
        for _ in range(2):
            waker.wake(may_wait=True)
            await loop.settle()
        waker.end()
        await loop.settle()
        assert sleeper.woken == [0.0, 0.0]

    run_on_clock(scenario)


def test_a_call_after_the_end_sets_no_timer() -> None:
    async def scenario(loop: ClockLoop) -> None:
        waker = Waker()
        Sleeper(waker)
        waker.end()
        await loop.settle()
        waker.wake(may_wait=True)
        await loop.settle()
        assert loop.pending == 0

    run_on_clock(scenario)


def test_a_call_after_the_loop_closed_with_a_timer_does_nothing() -> None:
    waker = Waker()

    async def scenario(loop: ClockLoop) -> None:
        Sleeper(waker)
        waker.wake(may_wait=True)
        await loop.settle()
        assert loop.pending == 1

    run_on_clock(scenario)
    gc.collect()
    waker.wake()
    waker.wake(may_wait=True)


def test_a_call_that_a_closed_loop_never_served_holds_up_none_of_the_next_loop() -> None:
    waker = Waker()

    async def begin() -> None:
        waker.begin()

    async def scenario(loop: ClockLoop) -> None:
        sleeper = Sleeper(waker)
        waker.wake()
        await loop.settle()
        assert sleeper.woken == [0.0]

    closed = ClockLoop()
    closed.run_until_complete(begin())
    waker.wake()
    closed.close()
    run_on_clock(scenario)
