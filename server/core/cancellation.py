"""Whether a ``CancelledError`` is for the task that gets it, or only ends something that the task waits for."""

from __future__ import annotations

import asyncio


def is_cancelling() -> bool:
    """Return whether the running task itself is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
