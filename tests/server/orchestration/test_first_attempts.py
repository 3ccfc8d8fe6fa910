"""First attempts are given up at their deadline, and at the end of their walk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

import pytest

from server.orchestration.first_attempts import FirstAttempts
from tests.support.clock_loop import ClockLoop, run_on_clock

SHORT_S, LONG_S = 0.5, 16.0


class PlantedCall:
    """A call that notes what is asked of it.

    Attributes:
        asked: in order.
    """

    def __init__(self, timeout_s: float, *, under_way: bool = True) -> None:
        self.timeout_s = timeout_s
        self.asked: list[str] = []
        self._under_way = under_way

    def overdue(self) -> bool:
        self.asked.append("overdue")
        was, self._under_way = self._under_way, False
        return was

    def abandon(self) -> None:
        self.asked.append("abandon")


class EndedError(Exception):
    """The walk has ended."""


class Watched:
    """First attempts of a walk that a test ends.

    Attributes:
        attempts: that are tested.
        gone_on: when each attempt was followed by others.
        ended: whether the walk has.
    """

    def __init__(self, loop: ClockLoop) -> None:
        self.attempts = FirstAttempts(threading.Lock(), self._require_going_on, loop.time)
        self.gone_on: list[float] = []
        self.ended = False
        self._loop = loop

    def begin(self, call: Any) -> AbstractContextManager[None]:
        return self.attempts.under_way(call, lambda: self.gone_on.append(self._loop.time()))

    def _require_going_on(self) -> None:
        if self.ended:
            raise EndedError


def run(scenario: Callable[[ClockLoop, Watched], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario while overdue attempts are given up; no timer is left once they are abandoned."""

    async def main(loop: ClockLoop) -> None:
        watched = Watched(loop)
        watched.attempts.give_up_overdue(SHORT_S)
        await scenario(loop, watched)
        watched.attempts.abandon()
        assert loop.pending == 0

    run_on_clock(main)


def test_an_attempt_goes_on_at_its_deadline() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        with watched.begin(PlantedCall(SHORT_S)):
            await loop.move_to(SHORT_S)
        assert watched.gone_on == [SHORT_S]

    run(scenario)


def test_an_attempt_does_not_go_on_before_its_deadline() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        call = PlantedCall(LONG_S)
        with watched.begin(call):
            await loop.move_to(LONG_S - SHORT_S)
        assert call.asked == []

    run(scenario)


def test_an_attempt_that_began_between_two_looks_goes_on_at_its_deadline() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        await loop.move_to(SHORT_S / 2)
        with watched.begin(PlantedCall(SHORT_S)):
            await loop.move_to(SHORT_S)
            await loop.move_to(SHORT_S * 3 / 2)
        assert watched.gone_on == [SHORT_S * 3 / 2]

    run(scenario)


def test_a_short_deadline_is_kept_while_an_attempt_with_a_long_one_is_under_way() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        with watched.begin(PlantedCall(LONG_S)):
            await loop.move_to(SHORT_S)
            with watched.begin(PlantedCall(SHORT_S)):
                await loop.move_to(2 * SHORT_S)
        assert watched.gone_on == [2 * SHORT_S]

    run(scenario)


def test_an_attempt_that_ended_is_not_given_up() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        call = PlantedCall(SHORT_S)
        with watched.begin(call):
            pass
        await loop.move_to(SHORT_S)
        watched.attempts.abandon()
        assert call.asked == []

    run(scenario)


def test_an_attempt_that_failed_is_not_given_up() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        call = PlantedCall(SHORT_S)
        with pytest.raises(ZeroDivisionError), watched.begin(call):
            raise ZeroDivisionError
        await loop.move_to(SHORT_S)
        watched.attempts.abandon()
        assert call.asked == []

    run(scenario)


def test_an_attempt_that_another_one_has_ended_does_not_go_on() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        call = PlantedCall(SHORT_S, under_way=False)
        with watched.begin(call):
            await loop.move_to(SHORT_S)
        assert (call.asked, watched.gone_on) == (["overdue"], [])

    run(scenario)


def test_an_attempt_whose_thread_hangs_goes_on_once() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        with watched.begin(PlantedCall(SHORT_S)):
            for looks in range(1, 4):
                await loop.move_to(looks * SHORT_S)
        assert watched.gone_on == [SHORT_S]

    run(scenario)


def test_no_attempt_begins_once_the_walk_has_ended() -> None:
    async def scenario(_: ClockLoop, watched: Watched) -> None:
        watched.ended = True
        call = PlantedCall(SHORT_S)
        with pytest.raises(EndedError), watched.begin(call):
            raise AssertionError
        watched.attempts.abandon()
        assert call.asked == []

    run(scenario)


def test_every_attempt_under_way_is_abandoned_at_the_end() -> None:
    async def scenario(_: ClockLoop, watched: Watched) -> None:
        calls = [PlantedCall(SHORT_S), PlantedCall(LONG_S)]
        with watched.begin(calls[0]), watched.begin(calls[1]):
            watched.attempts.abandon()
        assert [call.asked for call in calls] == [["abandon"], ["abandon"]]

    run(scenario)


def test_no_attempt_goes_on_after_it_was_abandoned() -> None:
    async def scenario(loop: ClockLoop, watched: Watched) -> None:
        call = PlantedCall(SHORT_S)
        with watched.begin(call):
            watched.attempts.abandon()
            await loop.move_to(SHORT_S)
        assert (call.asked, watched.gone_on) == (["abandon"], [])

    run(scenario)
