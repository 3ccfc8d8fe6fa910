"""The state of the system, offered to all who listen."""

from __future__ import annotations

import asyncio

from server.events.hub import Hub
from server.events.in_process import InProcessBus
from server.executions.events import PIPELINE_PROGRESS
from server.live.messages import SystemStatus
from server.live.system import Watch

LIMIT_S = 20.0


def test_who_comes_later_is_offered_the_state_though_it_is_as_before() -> None:
    """A client that has connected while a part was down knows another state than those before it."""

    async def ask() -> SystemStatus:
        return SystemStatus(status="ok", components={}, executions={})

    async def scenario() -> None:
        bus = InProcessBus()
        hub, watch = Hub(bus), Watch(ask, period_s=0.01)
        async with hub.listen(PIPELINE_PROGRESS) as first, hub.listen(PIPELINE_PROGRESS) as second:
            watch.add(first)
            await anext(first)
            watch.add(second)
            assert (await anext(second)).value == await ask()
            watch.remove(first)
            watch.remove(second)
        bus.close()

    asyncio.run(asyncio.wait_for(scenario(), LIMIT_S))
