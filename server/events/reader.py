"""What a reader of events in an event loop waits on, while other threads add to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol, Self, TypeVar

from models.errors import Unavailable
from server.core.structlog_import import structlog
from server.events.waker import Waker

_PAUSE_S = 1.0
_log = structlog.get_logger("imageflow.server")


class _Reader(Protocol):
    """A subscription or a consumer."""

    async def __aenter__(self) -> Self: ...

    async def aclose(self) -> None: ...


ReaderT = TypeVar("ReaderT", bound=_Reader)


@asynccontextmanager
async def once_reachable(reader: ReaderT) -> AsyncIterator[ReaderT]:
    """Begin a reader as soon as the bus can be reached, however long that takes, and end it with the block."""
    while True:
        try:
            await reader.__aenter__()
            break
        except Unavailable as error:
            _log.warning("events not read", error_code=error.code)
        await asyncio.sleep(_PAUSE_S)
    try:
        yield reader
    finally:
        await reader.aclose()


class LoopReader:
    """Begins with its first use in an event loop, can be woken by any thread, ends with ``aclose``."""

    def __init__(self) -> None:
        self._ready = Waker()
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
            self._ready.begin()
            await self._join()
            self._begun = True

    def wake(self) -> None:
        """Let the reader look again. Called from any thread."""
        self._ready.wake()
