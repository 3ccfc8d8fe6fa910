"""An event loop whose time a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class ClockLoop(asyncio.SelectorEventLoop):
    """Its time stands still until a test moves it.

    Attributes:
        calls: how often a wake was asked of it, by whatever thread.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: list[asyncio.TimerHandle] = []
        self.calls = 0
        super().__init__()

    @property
    def pending(self) -> int:
        """How many timers run."""
        return sum(not timer.cancelled() and timer.when() > self._now for timer in self._timers)

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        timer = super().call_at(when, callback, *args, context=context)
        self._timers.append(timer)
        return timer

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        self.calls += 1
        return super().call_soon_threadsafe(callback, *args, context=context)

    async def move_to(self, seconds: float) -> None:
        """Let everything happen that happens until then."""
        self._now = seconds
        for _ in range(10):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let everything happen that happens without waiting."""
        await self.move_to(self._now)


def run_on_clock(scenario: Callable[[ClockLoop], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in a loop of its own, which it gets."""
    loops: list[ClockLoop] = []

    def made() -> ClockLoop:
        loops.append(ClockLoop())
        return loops[0]

    with asyncio.Runner(loop_factory=made) as runner:
        runner.get_loop()
        runner.run(scenario(loops[0]))
