"""A worker looks into the database when it may find an execution there, and only then."""

from __future__ import annotations

import asyncio

import pytest

from server.orchestration.expected_work import ExpectedWork


@pytest.fixture
def expected() -> ExpectedWork:
    """Return the knowledge of a worker that has looked and found nothing."""
    expected = ExpectedWork()
    expected.found_none(0)
    return expected


def test_a_worker_that_begins_may_find_something() -> None:
    assert ExpectedWork().may_find


def test_a_worker_that_found_nothing_does_not_look_again(expected: ExpectedWork) -> None:
    assert not expected.may_find


def test_each_announced_execution_is_looked_for(expected: ExpectedWork) -> None:
    expected.announce()
    expected.announce()
    expected.found_one(expected.total)
    assert expected.may_find
    expected.found_one(expected.total)
    assert not expected.may_find


def test_what_is_announced_while_one_is_found_is_looked_for(expected: ExpectedWork) -> None:
    expected.announce()
    before = expected.total
    expected.found_none(before)
    expected.announce()
    expected.found_one(before)
    assert expected.announced == 1


def test_what_is_announced_while_nothing_is_found_is_looked_for(expected: ExpectedWork) -> None:
    expected.announce()
    before = expected.total
    expected.announce()
    expected.found_none(before)
    assert expected.announced == 1


def test_two_looks_that_find_nothing_forget_no_later_announcement(expected: ExpectedWork) -> None:
    expected.announce()
    first = second = expected.total
    expected.found_none(first)
    expected.announce()
    expected.found_none(second)
    assert expected.announced == 1


def test_an_execution_that_nobody_announced_is_looked_for_after_a_while(expected: ExpectedWork) -> None:
    asyncio.run(expected.wait(0.001))
    assert expected.may_find


def test_an_announcement_ends_the_wait(expected: ExpectedWork) -> None:
    async def announced() -> None:
        waiting = asyncio.create_task(expected.wait(60))
        await asyncio.sleep(0)
        expected.announce()
        async with asyncio.timeout(10):
            await waiting

    asyncio.run(announced())
    assert expected.announced == 1
