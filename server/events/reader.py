"""What a reader of events in an event loop waits on, while other threads add to it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class LoopReader:
    """Begins with its first use in an event loop, can be woken by any thread, ends with ``aclose``."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = asyncio.Event()
        self._begun = False

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        await self.aclose()

    async def aclose(self) -> None:
        """End; may be repeated."""
        raise NotImplementedError

    async def _join(self) -> None:
        """Begin to receive; called again when it was cancelled."""
        raise NotImplementedError

    async def _begin(self) -> None:
        if not self._begun:
            self._loop = asyncio.get_running_loop()
            await self._join()
            self._begun = True

    def wake(self) -> None:
        """Let the reader look again. Called from any thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            # A reader whose loop has ended does not read any more.
            if not self._loop.is_closed():
                raise
