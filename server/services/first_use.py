"""Something that is started with its first use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class FirstUse:
    """Starts something once, whoever needs it first; a start that failed is tried again with the next use.

    Args:
        start: starts it.
    """

    def __init__(self, start: Callable[[], Awaitable[None]]) -> None:
        self._start = start
        self._starting: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Return when it is started; a caller that is cancelled meanwhile takes the start from no other.

        Raises:
            UserFacingError: as the start.
        """
        if self._starting is None or _failed(self._starting):
            self._starting = asyncio.get_running_loop().create_task(self._run(), name="start with the first use")
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """End a start that is under way."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])

    async def _run(self) -> None:
        await self._start()


def _failed(starting: asyncio.Task[None]) -> bool:
    return starting.done() and (starting.cancelled() or starting.exception() is not None)
