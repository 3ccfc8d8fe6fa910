"""Waiting in synchronous code, on a thread of its own or on the thread of an event loop.

Code that an event loop runs by ``on_loop`` may wait without holding the loop up: it is put aside in a greenlet until
what it waits for has come, as SQLAlchemy's asynchronous drivers do it. Elsewhere the thread waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

from sqlalchemy.util.concurrency import await_, greenlet_spawn, in_greenlet

_T = TypeVar("_T")


class Signal(Protocol):
    """Set once, by any thread; one piece of code waits for it."""

    def set(self) -> bool:
        """Let the waiting code go on; False when there is nobody left who could."""

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is set, at most ``timeout`` seconds, and return whether it is."""


class _ThreadSignal:
    """A signal for a thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> bool:
        """Let the waiting thread go on."""
        self._event.set()
        return True

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is set, at most ``timeout`` seconds, and return whether it is."""
        return self._event.wait(timeout)


class _LoopSignal:
    """A signal for code on an event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._set: asyncio.Future[None] = self._loop.create_future()

    def set(self) -> bool:
        """Let the waiting code go on; False when its loop has been closed."""
        try:
            self._loop.call_soon_threadsafe(self._settle)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            return False
        return True

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is set, at most ``timeout`` seconds, and return whether it is."""
        return await_(self._within(timeout))

    async def _within(self, timeout: float | None) -> bool:
        done, _ = await asyncio.wait((self._set,), timeout=timeout)
        return bool(done)

    def _settle(self) -> None:
        if not self._set.done():
            self._set.set_result(None)


def new_signal() -> Signal:
    """Return a signal that the calling code can wait for."""
    return _LoopSignal() if in_greenlet() else _ThreadSignal()


def without_blocking(helpers: Executor, work: Callable[[], _T]) -> _T:
    """Do ``work``, which waits for a disk or a lock; for code on an event loop by one of ``helpers``.

    What has begun is waited for, also by code that is cancelled meanwhile: it must know how it ended.
    """
    if not in_greenlet():
        return work()
    return await_(_to_its_end(asyncio.get_running_loop().run_in_executor(helpers, work)))


async def _to_its_end(working: asyncio.Future[_T]) -> _T:
    cancelled = False
    while not working.done():
        try:
            await asyncio.wait((working,))
        except asyncio.CancelledError:
            cancelled = True
    task = asyncio.current_task()
    if cancelled and task is not None:
        task.cancel()  # Heard by whatever the task waits for next.
    return working.result()


async def on_loop(work: Callable[..., _T], **arguments: Any) -> _T:
    """Run short synchronous ``work`` on the event loop's thread, which goes on while the work waits."""
    return await greenlet_spawn(work, **arguments)
