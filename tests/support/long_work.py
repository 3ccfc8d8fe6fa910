"""Work that goes on until it is asked to stop: what a thread, a step or an attempt at a service does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from inspection.components.registry import StepContext
from inspection.components.values import StepValue
from inspection.imaging.picture import Picture
from models.errors import InvalidInput
from tests.support.walks import DEADLINE_S, coloured


class LongWork:
    """Work that goes on until it is asked to stop, at the latest until a test's deadline.

    Args:
        error: that it ends with; None lets it give a picture.

    Attributes:
        begun: set when it begins.
        stopped: set when it was asked to stop.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.stopped = threading.Event(), threading.Event()
        self._error = error

    def until(self, cancel: threading.Event) -> Picture:
        self.begun.set()
        if cancel.wait(DEADLINE_S):
            self.stopped.set()
        if self._error is not None:
            raise self._error
        return coloured(4)

    def step(self, _inputs: Mapping[str, StepValue], context: StepContext) -> Picture:
        assert context.cancel is not None
        return self.until(context.cancel)

    def failing_beside(self, _inputs: Mapping[str, StepValue], _context: StepContext) -> Picture:
        """Do as a step that fails once this work has begun."""
        assert self.begun.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, DEADLINE_S)

    async def cancel_once_begun(self, caller: Coroutine[Any, Any, object]) -> None:
        """Run what waits for this work, cancel it when the work has begun, and wait for its end."""
        waiting = asyncio.create_task(caller)
        await self.has_begun()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
