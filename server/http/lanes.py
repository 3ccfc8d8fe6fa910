"""The threads that endpoints run on: lanes for reads, for writes and a small one for heavy reads.

A heavy read (statistics over months) takes as long as a hundred ordinary requests. In a lane of its own it waits for
other heavy reads, never the other way round: sign-in, health, sync and new sessions keep their threads. Heavy reads
have a share of the time alone while light requests come over HTTP (``_PACE``), as all threads share one interpreter.
Requests for the same figures share one read until it begins, so that each sees what was committed before it was sent.

A quick read has no thread at all where the database is embedded: it is over before a thread would have begun. One that
took longer than that, because a store holds more than others, has a thread the next time. Signing in has threads of its
own too: checking passwords takes long on purpose, and anybody may ask for it.

What streams, and what follows an answer, runs on the framework's own threads.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any, ParamSpec, TypeVar

from models.errors import Unavailable
from models.waiting import on_loop
from server.context import ServerContext
from server.http.kept_reads import KeptReads
from server.http.pace import Pace

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SHARED_IN = "imageflow_shared_in"
_QUICK, _OWN_LANE, _KEPT = "imageflow_quick", "imageflow_lane", "imageflow_kept"
_HEAVY_NICENESS = 10
_QUICK_S = 0.005
"""Longer than it takes to reach a thread, and still shorter than anybody notices."""
_MOST_HEAVY = 32
"""Heavy reads that wait; beyond them a new one is refused rather than kept waiting for minutes."""
_PACE = Pace(share=0.2, burst_s=0.1, longest_rest_s=0.25, alone_s=1.0)
"""A page of a dashboard, some five reads, is within the burst; who asks without a pause has a fifth of the time, as
long as a read takes no more than 60 ms of the processor. Longer ones rest a quarter of a second: many that wait rest on
the one thread, and previews of images wait with them."""
_LEAST_COST_S = 0.002
"""What a heavy read counts for at least: its request and answer take time too."""


class Lane(Enum):
    """A pool of threads; the value is how many there are unless ``set_threads`` says otherwise.

    Reads: more threads than a few only wait for the interpreter's lock, which makes every request slower and none
    faster. Writes: they wait for each other and for the disk; those that wait together are committed together.
    Signing in: as many passwords as are checked at once (``server.auth.identity.passwords``).
    """

    READS = 4
    WRITES = 16
    SIGN_IN = 4
    HEAVY = 1


_threads: dict[Lane, int] = {}
_pools: dict[Lane, ThreadPoolExecutor] = {}
_took: dict[Callable[..., Any], float] = {}
"""Seconds of the processor that a quick read has taken last."""
_in_flight: dict[tuple[object, ...], asyncio.Future[Any]] = {}
_kept_reads = KeptReads()
"""Of the thread of heavy reads."""


def set_threads(lane: Lane, threads: int) -> None:
    """Set how many threads this process has for a lane, before the first request."""
    _threads[lane] = threads


def heavy(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint as a heavy read, shared by those who ask the same at the same time."""
    setattr(endpoint, _SHARED_IN, Lane.HEAVY)
    return endpoint


def kept(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark a heavy read that takes ``context`` and reads nothing but its database, so that its answer may be kept.

    What else it takes is hashable.
    """
    setattr(endpoint, _KEPT, True)
    return endpoint


def shared(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint as a light read that everybody who asks at the same time may share."""
    setattr(endpoint, _SHARED_IN, Lane.READS)
    return endpoint


def signing_in(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint that checks a password."""
    setattr(endpoint, _OWN_LANE, Lane.SIGN_IN)
    return endpoint


def quick(endpoint: Callable[_P, _T]) -> Callable[_P, _T]:
    """Mark an endpoint that takes ``context`` and usually reads or writes a few rows by an index."""
    setattr(endpoint, _QUICK, True)
    return endpoint


def in_lane(endpoint: Callable[..., Any], *, writes: bool) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that runs a synchronous endpoint on a thread of its lane."""
    shared_in: Lane | None = getattr(endpoint, _SHARED_IN, None)
    lane: Lane = getattr(endpoint, _OWN_LANE, Lane.WRITES if writes else Lane.READS)

    @functools.wraps(endpoint)
    async def run(**named: Any) -> Any:
        if shared_in is not Lane.HEAVY:
            light_request()
        return await (run_on(lane, endpoint, **named) if shared_in is None else _share(shared_in, endpoint, named))

    @functools.wraps(endpoint)
    async def run_quickly(*, context: ServerContext, **named: Any) -> Any:
        light_request()
        quickly = _write_quickly if writes else read_quickly
        return await quickly(lane, context, endpoint, context=context, **named)

    return run_quickly if getattr(endpoint, _QUICK, False) else run


def light_request() -> None:
    """Count a request that heavy reads shall not hold up; for endpoints that run in no lane."""
    _PACE.others_ask(time.monotonic())


async def _share(lane: Lane, endpoint: Callable[..., Any], named: dict[str, Any]) -> Any:
    """Return the result of a read of the same figures that may be shared, else of one of its own."""
    key = (endpoint, *map(_identity, named.values()))
    reading = _in_flight.get(key)
    if reading is None:
        work = functools.partial(endpoint, **named)
        if lane is Lane.HEAVY:
            if len(_in_flight) >= _MOST_HEAVY:
                raise Unavailable("server-busy")
            if getattr(endpoint, _KEPT, False):
                # By values alone: the address of an argument that is gone may be that of the next one.
                asked = (endpoint, *(argument for name, argument in named.items() if name != "context"))
                work = functools.partial(_keeping, asked, named["context"], work)
            work = functools.partial(_paced, functools.partial(_begins, asyncio.get_running_loop(), key), work)
        reading = _in_flight[key] = asyncio.ensure_future(run_on(lane, work))
        reading.add_done_callback(functools.partial(_forget, key))
    # A client that goes away must not end the read that others wait for.
    return await asyncio.shield(reading)


def _forget(key: tuple[object, ...], reading: asyncio.Future[Any]) -> None:
    if _in_flight.get(key) is reading:
        del _in_flight[key]
    if not reading.cancelled():
        reading.exception()  # Looked at here, for the case that everybody who waited has gone.


def _begins(loop: asyncio.AbstractEventLoop, key: tuple[object, ...]) -> None:
    """Let nobody share a read from now on: it might not see what they have changed before they ask."""
    if not loop.is_closed():
        # Before any request that comes later: the loop takes its callbacks in turn.
        loop.call_soon_threadsafe(_in_flight.pop, key, None)


def _paced(begins: Callable[[], None], read: Callable[[], _T]) -> _T:
    """Read when heavy reads may; on their thread."""
    time.sleep(_PACE.rest_s(time.monotonic()))
    begins()
    began, began_work = time.monotonic(), time.thread_time()
    try:
        return read()
    finally:
        # The database's share of it counts too: nothing tells how long the interpreter was held.
        cost = max(time.thread_time() - began_work, _LEAST_COST_S)
        _PACE.took(cost, began, time.monotonic())


def _keeping(key: tuple[object, ...], context: ServerContext, read: Callable[[], _T]) -> _T:
    found: _T = _kept_reads.find(key, context.database, read, time.monotonic())
    return found


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


async def read_quickly(
    lane: Lane, context: ServerContext, read: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs
) -> _T:
    """Run a read of a few rows as a quick endpoint and return what it returns."""

    def timed() -> _T:
        began = time.thread_time()
        try:
            return read(*arguments, **named)
        finally:
            _took[read] = time.thread_time() - began

    if context.database.is_sqlite and _took.get(read, 0.0) < _QUICK_S:
        return timed()
    return await run_on(lane, timed)


async def _write_quickly(
    lane: Lane, context: ServerContext, write: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs
) -> _T:
    """Run a write of a few rows as a quick endpoint and return what it returns."""
    if not context.database.is_sqlite:
        return await run_on(lane, write, *arguments, **named)
    # A client that goes away must not end the work that has begun.
    return await asyncio.shield(asyncio.ensure_future(on_loop(functools.partial(write, *arguments, **named))))


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
