"""A group of units on threads and in the event loop ends with its result or its first error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import InvalidInput
from server.orchestration.run_work import RunWork, Work
from server.orchestration.unit_group import GroupEndedError, Unit, UnitGroup
from tests.support.walks import DEADLINE_S, works


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path) as made:
        yield made


def result_of(
    work: Work, begin: Callable[[UnitGroup[Any]], object], late: Callable[[Exception], None] = lambda _: None
) -> Any:
    """Return the result of a group whose first units a function begins; the group has ended then."""
    faults: list[dict[str, Any]] = []

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        async with asyncio.timeout(DEADLINE_S), RunWork(work) as run:
            group: UnitGroup[Any] = UnitGroup(run, late)
            begin(group)
            try:
                return await group.result()
            finally:
                group.end()
                await group.cancel_tasks()
                assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        return asyncio.run(main())
    finally:
        assert faults == []


def succeeding(group: UnitGroup[Any], result: Callable[[], object]) -> Unit:
    """Return a unit that ends its group with what a function gives."""

    def unit() -> list[Unit]:
        group.succeed(result())
        return []

    return unit


def test_a_unit_that_another_one_begins_runs_on_the_same_thread(work: Work) -> None:
    threads: list[int] = []

    def begin(group: UnitGroup[Any]) -> None:
        def first() -> list[Unit]:
            threads.append(threading.get_ident())
            return [succeeding(group, threading.get_ident)]

        group.submit(first)

    assert result_of(work, begin) == threads[0] != threading.get_ident()


def test_units_that_one_unit_begins_run_at_the_same_time(work: Work) -> None:
    together = threading.Barrier(3)

    def begin(group: UnitGroup[Any]) -> None:
        group.submit(lambda: 3 * [succeeding(group, lambda: together.wait(DEADLINE_S) >= 0)])

    assert result_of(work, begin) is True


def test_what_work_in_the_event_loop_begins_runs_on_a_thread(work: Work) -> None:
    loops: list[int] = []

    def begin(group: UnitGroup[Any]) -> None:
        async def in_loop() -> list[Unit]:
            loops.append(threading.get_ident())
            return [succeeding(group, threading.get_ident)]

        group.submit_to_loop(in_loop)

    assert result_of(work, begin) != loops[0]
    assert loops == [threading.get_ident()]


def test_the_error_of_a_unit_is_raised(work: Work) -> None:
    error = InvalidInput("request-malformed")

    def fail() -> list[Unit]:
        raise error

    with pytest.raises(InvalidInput) as caught:
        result_of(work, lambda group: group.submit(fail))
    assert caught.value is error


def test_the_end_of_a_group_cancels_what_runs_in_the_event_loop(work: Work) -> None:
    cancelled: list[bool] = []

    def begin(group: UnitGroup[Any]) -> None:
        begun = threading.Event()

        async def hang() -> list[Unit]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(True)
            return []

        def fail() -> list[Unit]:
            assert begun.wait(DEADLINE_S)
            raise InvalidInput("request-malformed")

        group.submit_to_loop(hang)
        group.submit(fail)

    with pytest.raises(InvalidInput):
        result_of(work, begin)
    assert cancelled == [True]


def test_a_second_error_is_reported_as_late(work: Work) -> None:
    late: list[Exception] = []
    both = threading.Barrier(2)

    def fail() -> list[Unit]:
        both.wait(DEADLINE_S)
        raise ZeroDivisionError

    def begin(group: UnitGroup[Any]) -> None:
        group.submit(fail)
        group.submit(fail)

    with pytest.raises(ZeroDivisionError) as caught:
        result_of(work, begin, late.append)
    work.threads.shutdown()
    assert [type(error) for error in late] == [ZeroDivisionError]
    assert late != [caught.value]


def test_a_unit_that_finds_its_group_ended_is_no_error(work: Work) -> None:
    late: list[Exception] = []
    ended, groups = threading.Event(), []

    def begin(group: UnitGroup[Any]) -> None:
        def overtaken() -> list[Unit]:
            assert ended.wait(DEADLINE_S)
            with group.lock:
                group.require_going_on()
            raise AssertionError

        groups.append(group)
        group.submit(overtaken)
        group.succeed(None)

    result_of(work, begin, late.append)
    ended.set()
    work.threads.shutdown()
    with pytest.raises(GroupEndedError):
        groups[0].require_going_on()
    assert late == []


def test_no_work_starts_in_the_event_loop_of_a_group_that_has_ended(work: Work) -> None:
    async def main() -> set[asyncio.Task[Any]]:
        group: UnitGroup[None] = UnitGroup(RunWork(work), lambda _: None)

        async def never() -> list[Unit]:
            raise AssertionError

        group.end()
        group.start_task(never)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()


def test_the_first_result_is_kept(work: Work) -> None:
    def begin(group: UnitGroup[Any]) -> None:
        group.succeed(1)
        group.succeed(2)

    assert result_of(work, begin) == 1
