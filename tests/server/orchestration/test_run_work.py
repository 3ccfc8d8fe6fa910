"""The threads of a run are stopped before the run ends, and nothing is stored after it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.components.registry import InspectionCancelled
from inspection.imaging.picture import Picture
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work
from tests.support.log_lines import log_lines
from tests.support.long_work import LongWork
from tests.support.walks import DEADLINE_S, works

Begin = Callable[[RunWork, LongWork, threading.Event], Awaitable[None]]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path, threads=2) as made:
        yield made


def in_a_run(work: Work, run: Callable[[RunWork], Any]) -> RunWork:
    """Run a coroutine as a run that fails in the end, and return the run."""
    made = RunWork(work)

    async def main() -> None:
        async with made:
            await run(made)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    return made


async def submit(run: RunWork, work: LongWork, cancel: threading.Event) -> None:
    """Have work under way that nobody waits for."""
    run.submit(lambda: work.until(cancel))
    await work.has_begun()


async def wait_in_vain(run: RunWork, work: LongWork, cancel: threading.Event) -> None:
    """Have work under way whose caller was cancelled."""
    await work.cancel_once_begun(run.on_thread(work.until, cancel))


UNDER_WAY = pytest.mark.parametrize("begin", [submit, wait_in_vain])


@pytest.mark.usefixtures("no_haste")
@UNDER_WAY
def test_work_under_way_has_ended_when_its_run_has_failed(work: Work, begin: Begin) -> None:
    long = LongWork()

    async def run(made: RunWork) -> None:
        await begin(made, long, made.cancel)
        assert not long.stopped.is_set()

    in_a_run(work, run)
    assert long.stopped.is_set()


@UNDER_WAY
def test_a_run_does_not_wait_long_for_work_that_is_deaf(work: Work, begin: Begin) -> None:
    release = threading.Event()

    async def main() -> float:
        made = RunWork(work)
        await begin(made, LongWork(), release)
        began = time.monotonic()
        await made.stop()
        return time.monotonic() - began

    try:
        assert asyncio.run(main()) < DEADLINE_S / 2
    finally:
        release.set()


def test_submitted_work_that_has_not_begun_does_not_begin_after_its_run(tmp_path: Path) -> None:
    began: list[int] = []
    release = threading.Event()
    with works(tmp_path, threads=1) as work:
        made = RunWork(work)
        made.submit(lambda: release.wait(DEADLINE_S))
        made.submit(lambda: began.append(1))
        asyncio.run(made.stop())
        release.set()
    assert began == []


def test_work_may_be_submitted_from_a_thread_of_the_run(work: Work) -> None:
    ran = threading.Event()
    made = RunWork(work)
    made.submit(lambda: made.submit(ran.set))
    assert ran.wait(DEADLINE_S)


def test_a_fault_of_submitted_work_that_is_stopped_is_logged(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = log_lines(monkeypatch, "server.orchestration.run_work")

    async def run(made: RunWork) -> None:
        await submit(made, LongWork(ZeroDivisionError()), made.cancel)

    in_a_run(work, run)
    assert [line["error"] for line in lines] == ["ZeroDivisionError()"]


def test_work_that_has_not_begun_does_not_begin_after_its_run(tmp_path: Path) -> None:
    began: list[int] = []
    release = threading.Event()
    with works(tmp_path, threads=1) as work:

        async def run(running: RunWork) -> None:
            steps: list[asyncio.Task[Any]] = [asyncio.create_task(running.on_thread(release.wait, DEADLINE_S))]
            steps.append(asyncio.create_task(running.on_thread(began.append, 1)))
            await asyncio.sleep(0)
            for step in steps:
                step.cancel()
            await asyncio.gather(*steps, return_exceptions=True)
            release.set()

        in_a_run(work, run)
    assert began == []


def test_a_stopped_run_begins_no_work(work: Work) -> None:
    async def run(_: RunWork) -> None:
        return

    stopped = in_a_run(work, run)
    with pytest.raises(InspectionCancelled):
        asyncio.run(stopped.on_thread(list))


def test_a_stopped_run_stores_no_picture(work: Work) -> None:
    async def run(_: RunWork) -> None:
        return

    stopped = in_a_run(work, run)
    picture = StepImage(stopped, picture=Picture.original(np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(InspectionCancelled):
        picture._keep()
    assert list(work.objects.listed()) == []


def test_a_run_that_succeeds_is_not_stopped(work: Work) -> None:
    async def main() -> RunWork:
        async with RunWork(work) as made:
            assert await made.on_thread(sum, (1, 2)) == 3
        return made

    assert not asyncio.run(main()).cancel.is_set()
