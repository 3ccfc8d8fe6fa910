"""One reader of the bus for many listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from models.errors import Unavailable
from server.events.hub import MOST_WAITING, Hub
from server.events.in_process import InProcessBus
from server.events.topics import Topic

LIMIT_S = 20.0


class Step(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int


STEP = Topic("hub-steps", Step)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


def test_a_listener_gets_the_events_of_its_key() -> None:
    async def scenario() -> None:
        bus = InProcessBus()
        hub = Hub(bus)
        async with hub.listen(STEP, "a") as of_a, hub.listen(STEP) as of_all:
            for number, key in enumerate("ba"):
                bus.publish(STEP, key, Step(n=number))
            assert (await anext(of_a)).value.n == 1
            assert [(await anext(of_all)).value.n for _ in range(2)] == [0, 1]
        bus.close()

    run(scenario())


def test_a_listener_ends_with_the_bus() -> None:
    async def scenario() -> None:
        bus = InProcessBus()
        async with Hub(bus).listen(STEP) as listener:
            bus.close()
            assert [event async for event in listener] == []
            assert not listener.fell_behind

    run(scenario())


def test_a_listener_that_falls_behind_ends_at_once() -> None:
    async def scenario() -> None:
        bus = InProcessBus()
        hub = Hub(bus)
        called: list[bool] = []
        async with hub.listen(STEP, "a", most_waiting=2) as slow, hub.listen(STEP, "b") as other:
            slow.when_behind(lambda: called.append(True))
            for _ in range(3):
                bus.publish(STEP, "a", Step(n=1))
            bus.publish(STEP, "b", Step(n=2))
            assert (await anext(other)).value.n == 2
            assert (slow.fell_behind, called) == (True, [True])
            assert [event async for event in slow] == []
        bus.close()

    run(scenario())


def test_a_listener_that_reads_is_not_behind_after_a_burst() -> None:
    async def scenario() -> None:
        bus = InProcessBus()
        async with Hub(bus).listen(STEP) as listener:
            for number in range(2 * MOST_WAITING):
                bus.publish(STEP, "a", Step(n=number))
            assert [(await anext(listener)).value.n for _ in range(2 * MOST_WAITING)] == list(range(2 * MOST_WAITING))
        bus.close()

    run(scenario())


def test_a_listener_learns_that_events_were_lost_before_it() -> None:
    async def scenario() -> None:
        bus = InProcessBus(most_waiting=2)
        async with Hub(bus).listen(STEP) as listener:
            for number in range(5):
                bus.publish(STEP, "a", Step(n=number))
            assert (await anext(listener)).value.n == 3
            assert listener.missed
        bus.close()

    run(scenario())


def test_listening_fails_while_the_bus_is_away() -> None:
    class Away(InProcessBus):
        async def join(self, reader: Any) -> None:
            raise Unavailable("events-closed")

    async def scenario() -> None:
        with pytest.raises(Unavailable):
            await Hub(Away()).listen(STEP).__aenter__()

    run(scenario())
