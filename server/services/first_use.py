"""Something that is started with its first use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from models.errors import Unavailable

_PAUSE_S = 5.0


class FirstUse:
    """Starts something once, whoever needs it first; one that failed is tried again with the next use after a pause.

    Args:
        name: of what is started, for the error of a use after ``stop``.
        start: starts it.
        pause_s: seconds from a failed start to the next one.
        clock: seconds that only rise.

    Attributes:
        error: by which the last start failed; None before the first one ends, and once one has succeeded.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[None]],
        *,
        pause_s: float = _PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._start = start
        self._pause_s = pause_s
        self._clock = clock
        self._starting: asyncio.Task[None] | None = None
        self._failed_at = 0.0
        self._stopped = False
        self.error: Exception | None = None

    async def __call__(self) -> None:
        """Return when it is started; a caller that is cancelled meanwhile takes the start from no other.

        Raises:
            Unavailable: ``service-not-connected`` from ``stop`` on.
            UserFacingError: as the start; as the last one during the pause after it.
        """
        if self._stopped:
            raise self._unavailable()
        if self._starting is None or self._may_start_again(self._starting):
            self._starting = asyncio.get_running_loop().create_task(self._run(), name="start with the first use")
            self._starting.add_done_callback(_take_note)
        starting = self._starting
        if not starting.done():
            await asyncio.wait([starting])  # Cancels nothing when its caller is cancelled.
        if starting.cancelled():
            raise self._unavailable()
        starting.result()

    async def stop(self) -> None:
        """Start nothing from now on, and end a start that is under way."""
        self._stopped = True
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])

    async def _run(self) -> None:
        try:
            await self._start()
        except Exception as error:
            self.error, self._failed_at = error, self._clock()
            raise
        self.error = None

    def _may_start_again(self, starting: asyncio.Task[None]) -> bool:
        if not starting.done() or (not starting.cancelled() and starting.exception() is None):
            return False
        return self.error is None or self._clock() - self._failed_at >= self._pause_s

    def _unavailable(self) -> Unavailable:
        return Unavailable("service-not-connected", service=self._name)


def _take_note(starting: asyncio.Task[None]) -> None:
    """Look at the error of a start that nobody waits for any more; the next use has it."""
    if not starting.cancelled():
        starting.exception()
