"""Heavy reads wait for each other and for nobody else; equal ones at the same time are one."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.errors import Unavailable
from models.sync import SyncState
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.http import lanes
from server.http.lanes import Lane, heavy, in_lane, kept, quick, shared, signing_in
from server.http.pace import Pace

PATIENCE_S = 30


class Reads:
    """A read that lasts until it is released, and how often it was begun."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.release = threading.Event()

    def read(self, number: int, context: list[int]) -> int:
        self.begun.append(number)
        assert self.release.wait(PATIENCE_S)
        return number


class Clock:
    """The module ``time`` where time passes by work and rests alone."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the lanes, which begin without work behind them."""
    ticking = Clock()
    monkeypatch.setattr(lanes, "time", ticking)
    monkeypatch.setattr(lanes, "_PACE", Pace(0.2, burst_s=0.1, longest_rest_s=2.0, alone_s=1.0))
    return ticking


def endpoint(reads: Reads, mark: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[..., Any]:
    def read(number: int, context: list[int]) -> int:
        return reads.read(number, context)

    return in_lane(mark(read), writes=False)


async def begun(reads: Reads) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reads.begun:
            await asyncio.sleep(0)


@pytest.mark.parametrize("mark", [heavy, shared])
def test_equal_reads_at_the_same_time_are_one(mark: Callable[..., Any]) -> None:
    async def main() -> tuple[list[int], list[int]]:
        reads, context = Reads(), [0]
        read = endpoint(reads, mark)
        asked = [asyncio.ensure_future(read(number=7, context=context)) for _ in range(5)]
        await begun(reads)
        reads.release.set()
        return await asyncio.gather(*asked), reads.begun

    assert asyncio.run(main()) == ([7] * 5, [7])


def test_a_read_that_begins_after_the_end_of_another_reads_again() -> None:
    async def main() -> list[int]:
        reads, context = Reads(), [0]
        reads.release.set()
        read = endpoint(reads, heavy)
        await read(number=7, context=context)
        await read(number=7, context=context)
        return reads.begun

    assert asyncio.run(main()) == [7, 7]


def test_a_read_that_has_begun_is_shared_with_nobody_who_asks_later() -> None:
    async def main() -> list[int]:
        reads, context = Reads(), [0]
        read = endpoint(reads, heavy)
        first = asyncio.ensure_future(read(number=7, context=context))
        await begun(reads)
        await asyncio.sleep(0)  # What the read has told the loop comes before any later request.
        later = [asyncio.ensure_future(read(number=7, context=context)) for _ in range(3)]
        await asyncio.sleep(0)
        reads.release.set()
        await asyncio.gather(first, *later)
        return reads.begun

    assert asyncio.run(main()) == [7, 7]


def counting(reads: list[str]) -> Callable[..., Any]:
    """Return a kept read that is counted when it asks its database."""

    @heavy
    @kept
    def read(context: ServerContext, asking: str) -> str:
        reads.append(asking)
        return f"for {asking}"

    return in_lane(read, writes=False)


def test_a_kept_read_is_not_repeated_while_nothing_is_committed(tmp_path: Path, clock: Clock) -> None:
    reads: list[str] = []
    asked = _asked(tmp_path, counting(reads), [("ann", False), ("ann", False)])
    assert (asked, reads) == (["for ann", "for ann"], ["ann"])


def test_a_commit_ends_what_is_kept(tmp_path: Path) -> None:
    reads: list[str] = []
    _asked(tmp_path, counting(reads), [("ann", False), ("ann", True)])
    assert reads == ["ann", "ann"]


def test_a_kept_read_is_of_one_caller_where_the_caller_matters(tmp_path: Path) -> None:
    asked = _asked(tmp_path, counting([]), [("ann", False), ("bob", False)])
    assert asked == ["for ann", "for bob"]


def test_an_answer_is_kept_for_values_alone(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        _asked(tmp_path, counting([]), [(["ann"], False)])


def _asked(folder: Path, read: Callable[..., Any], callers: Sequence[tuple[object, bool]]) -> list[str]:
    """Return what callers are answered one after the other; True lets a commit come before."""
    context = open_context(ServerSettings(data_dir=folder))

    async def main() -> list[str]:
        found = []
        for caller, after_commit in callers:
            if after_commit:
                with context.database.local_transaction() as session:
                    session.add(SyncState(key="test", value=""))
            found.append(await read(context=context, asking=caller))
        return found

    try:
        return asyncio.run(main())
    finally:
        context.close()


@pytest.mark.parametrize("read_s", [0.01, 0.04, 0.06, 0.1, 0.5])
def test_heavy_reads_beside_light_requests_have_a_fifth_of_the_time(clock: Clock, read_s: float) -> None:
    assert share_of_heavy_reads(clock, read_s, beside_light_requests=True) == pytest.approx(0.2, rel=0.2)


def test_heavy_reads_rest_for_nobody_where_nobody_else_asks(clock: Clock) -> None:
    assert share_of_heavy_reads(clock, 0.1, beside_light_requests=False) == pytest.approx(1.0)


def share_of_heavy_reads(clock: Clock, read_s: float, *, beside_light_requests: bool) -> float:
    """Return the share of the time that a hundred heavy reads take which follow each other at once."""

    def read(number: int) -> None:
        clock.now += read_s

    async def main() -> None:
        for number in range(100):
            if beside_light_requests:
                await in_lane(lambda: None, writes=False)()
            await in_lane(heavy(read), writes=False)(number=number)

    began = clock.now
    asyncio.run(main())
    return 100 * read_s / (clock.now - began)


def test_heavy_reads_of_other_figures_run_one_after_the_other() -> None:
    async def main() -> tuple[list[int], list[int]]:
        reads, context = Reads(), [0]
        read = endpoint(reads, heavy)
        asked = [asyncio.ensure_future(read(number=number, context=context)) for number in (1, 2, 3)]
        await begun(reads)
        first = list(reads.begun)
        reads.release.set()
        await asyncio.gather(*asked)
        return first, reads.begun

    assert asyncio.run(main()) == ([1], [1, 2, 3])


def test_ordinary_requests_are_answered_while_heavy_reads_wait() -> None:
    async def main() -> int:
        reads, context = Reads(), [0]
        read = endpoint(reads, heavy)
        asked = [asyncio.ensure_future(read(number=number, context=context)) for number in range(32)]
        await begun(reads)
        ordinary = in_lane(lambda number: number, writes=False)
        answered = sum(await asyncio.gather(*(ordinary(number=1) for _ in range(100))))
        reads.release.set()
        await asyncio.gather(*asked)
        return answered

    assert asyncio.run(main()) == 100


def test_a_client_that_goes_away_does_not_end_the_read_of_others() -> None:
    async def main() -> int:
        reads, context = Reads(), [0]
        read = endpoint(reads, heavy)
        gone, stays = (asyncio.ensure_future(read(number=7, context=context)) for _ in range(2))
        await begun(reads)
        gone.cancel()
        await asyncio.wait([gone])
        reads.release.set()
        return int(await stays)

    assert asyncio.run(main()) == 7


def test_the_fault_of_a_read_reaches_everybody_who_shares_it() -> None:
    async def main() -> list[type[BaseException]]:
        release = threading.Event()

        def read(number: int) -> int:
            assert release.wait(PATIENCE_S)
            raise LookupError(number)

        asked = [asyncio.ensure_future(in_lane(heavy(read), writes=False)(number=1)) for _ in range(3)]
        release.set()
        return [type(found) for found in await asyncio.gather(*asked, return_exceptions=True) if found]

    assert asyncio.run(main()) == [LookupError] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads")
def test_a_heavy_read_lets_others_go_first() -> None:
    def niceness(number: int) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def main() -> list[int]:
        ordinary, read = in_lane(niceness, writes=False), in_lane(heavy(niceness), writes=False)
        return [await ordinary(number=1), await read(number=1)]

    ordinary, read = asyncio.run(main())
    assert read > ordinary


def test_a_quick_read_of_an_embedded_database_needs_no_thread(tmp_path: Path) -> None:
    assert _thread_of(in_lane(quick(_name_of_thread()), writes=False), tmp_path) == threading.current_thread().name


def test_a_quick_write_to_an_embedded_database_needs_no_thread(tmp_path: Path) -> None:
    assert _thread_of(in_lane(quick(_name_of_thread()), writes=True), tmp_path) == threading.current_thread().name


def test_a_slow_write_does_not_run_on_the_event_loop(tmp_path: Path) -> None:
    assert _thread_of(in_lane(_name_of_thread(), writes=True), tmp_path) != threading.current_thread().name


def _name_of_thread() -> Callable[[ServerContext], str]:
    def name(context: ServerContext) -> str:
        return threading.current_thread().name

    return name


def _thread_of(endpoint: Callable[..., Any], folder: Path) -> str:
    context = open_context(ServerSettings(data_dir=folder))
    try:
        return str(asyncio.run(endpoint(context=context)))
    finally:
        context.close()


def test_a_password_is_checked_on_a_thread_of_its_own_lane(tmp_path: Path) -> None:
    assert Lane.SIGN_IN.name in _thread_of(in_lane(signing_in(_name_of_thread()), writes=True), tmp_path)


def test_heavy_reads_beyond_those_that_may_wait_are_refused() -> None:
    async def main() -> list[str]:
        reads, context = Reads(), [0]
        read = endpoint(reads, heavy)
        asked = [asyncio.ensure_future(read(number=number, context=context)) for number in range(40)]
        await begun(reads)
        await asyncio.sleep(0)
        reads.release.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        return [one.code for one in found if isinstance(one, Unavailable)]

    assert asyncio.run(main()) == ["server-busy"] * 8
