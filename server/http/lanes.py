"""The threads that endpoints run on: lanes for reads, for writes and a small one for heavy reads.

A heavy read (statistics over months) takes as long as a hundred ordinary requests. In a lane of its own it waits for
other heavy reads, never the other way round: sign-in, health, sync and new sessions keep their threads. Requests for
the same figures at the same time share one read.

A quick read has no thread at all where the database is embedded: it is over before a thread would have begun.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any, ParamSpec, TypeVar

from models.waiting import on_loop
from server.context import ServerContext

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SHARED_IN = "imageflow_shared_in"
_QUICK = "imageflow_quick"
_HEAVY_NICENESS = 10


class Lane(Enum):
    """A pool of threads; the value is how many there are unless ``set_threads`` says otherwise.

    Reads: more threads than a few only wait for the interpreter's lock, which makes every request slower and none
    faster. Writes: they wait for each other and for the disk; those that wait together are committed together.
    """

    READS = 4
    WRITES = 16
    HEAVY = 1


_threads: dict[Lane, int] = {}
_pools: dict[Lane, ThreadPoolExecutor] = {}
_in_flight: dict[tuple[object, ...], asyncio.Future[Any]] = {}


def set_threads(lane: Lane, threads: int) -> None:
    """Set how many threads this process has for a lane, before the first request."""
    _threads[lane] = threads


def heavy(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint as a heavy read, shared by those who ask the same at the same time."""
    setattr(endpoint, _SHARED_IN, Lane.HEAVY)
    return endpoint


def shared(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint as a light read that everybody who asks at the same time may share."""
    setattr(endpoint, _SHARED_IN, Lane.READS)
    return endpoint


def quick(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint that takes ``context`` and reads a few rows by an index, however much the store holds."""
    setattr(endpoint, _QUICK, True)
    return endpoint


def in_lane(endpoint: Callable[..., Any], *, writes: bool) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that runs a synchronous endpoint on a thread of its lane."""
    shared_in: Lane | None = getattr(endpoint, _SHARED_IN, None)
    lane = Lane.WRITES if writes else Lane.READS

    @functools.wraps(endpoint)
    async def run(**named: Any) -> Any:
        return await (run_on(lane, endpoint, **named) if shared_in is None else _share(shared_in, endpoint, named))

    @functools.wraps(endpoint)
    async def run_quickly(*, context: ServerContext, **named: Any) -> Any:
        if context.database.is_sqlite:
            if writes:
                return await asyncio.shield(asyncio.ensure_future(on_loop(endpoint, context=context, **named)))
            return endpoint(context=context, **named)
        return await run_on(lane, endpoint, context=context, **named)

    return run_quickly if getattr(endpoint, _QUICK, False) else run


async def _share(lane: Lane, endpoint: Callable[..., Any], named: dict[str, Any]) -> Any:
    """Return the result of a read of the same figures that is under way, else of one that begins now."""
    key = (endpoint, *map(_identity, named.values()))
    reading = _in_flight.get(key)
    if reading is None:
        reading = _in_flight[key] = asyncio.ensure_future(run_on(lane, endpoint, **named))
        reading.add_done_callback(lambda _: _in_flight.pop(key, None))
    # A client that goes away must not end the read that others wait for.
    return await asyncio.shield(reading)


def _identity(argument: object) -> object:
    """Return what makes two requests the same: equal values, and the very same parts of the server."""
    try:
        hash(argument)
    except TypeError:
        return id(argument)
    return argument


async def run_on(lane: Lane, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Run ``work`` on a thread of a lane and return what it returns."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool(lane), functools.partial(work, *arguments, **named))


def _pool(lane: Lane) -> ThreadPoolExecutor:
    # Made by the event loop alone, so that no two are made at once.
    pool = _pools.get(lane)
    if pool is None:
        threads = _threads.get(lane, lane.value)
        pool = _pools[lane] = ThreadPoolExecutor(
            threads,
            thread_name_prefix=f"ThreadPoolExecutor-{lane.name}",
            initializer=_step_back if lane is Lane.HEAVY else None,
        )
    return pool


def _step_back() -> None:
    """Let ordinary requests go first on the processors too; only Linux knows priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _HEAVY_NICENESS)
