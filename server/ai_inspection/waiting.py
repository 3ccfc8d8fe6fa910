"""Waits until an execution has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from models.errors import Unavailable
from models.states import EXECUTION_ENDED
from server.context import ServerContext
from server.events.hub import Listener
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.executions.schemas import ExecutionDetail

_LOOK_S = 1.0
"""Seconds between two looks at the state though nothing was heard: the bus may be away, or have lost the end."""
_StateT = TypeVar("_StateT", bound=ExecutionDetail)


async def wait_for_end(
    context: ServerContext, execution_id: str, look: Callable[[], Awaitable[_StateT]], patience_s: float
) -> _StateT:
    """Return the state of an execution once it has ended.

    Args:
        context: the server's parts.
        execution_id: of the execution.
        look: reads the state.
        patience_s: seconds to wait.

    Raises:
        TimeoutError: when it has not ended by then.
    """
    async with asyncio.timeout(patience_s), AsyncExitStack() as stack:
        listener: Listener[ExecutionEvent] | None
        try:
            # Listening first: an end while the state is read is heard of.
            listener = await stack.enter_async_context(context.hub.listen(PIPELINE_PROGRESS, execution_id))
        except Unavailable:
            listener = None
        while True:
            state = await look()
            if state.status in EXECUTION_ENDED:
                return state
            if listener is None or not await _heard_of_end(listener):
                listener = None
                await asyncio.sleep(_LOOK_S)


async def _heard_of_end(listener: Listener[ExecutionEvent]) -> bool:
    """Wait for the event of the end, a while at most; return whether the listener can still hear."""
    try:
        async with asyncio.timeout(_LOOK_S):
            async for event in listener:
                if event.value.status in EXECUTION_ENDED:
                    return True
    except TimeoutError:
        return True
    return False
