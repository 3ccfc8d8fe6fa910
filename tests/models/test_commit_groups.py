"""Writers of one store that wait for each other share a commit, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, select

from models.commit_groups import MOST_MEMBERS
from models.database import Database
from models.errors import Unavailable, UserFacingError
from models.targets import Target
from models.waiting import on_loop

PATIENCE_S = 30


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}", shared_commits=True)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as pool:
        yield pool


@contextmanager
def counted_commits(store: Database) -> Iterator[list[object]]:
    seen: list[object] = []

    def committed(connection: object) -> None:
        seen.append(connection)

    event.listen(store.engine, "commit", committed)
    yield seen
    event.remove(store.engine, "commit", committed)


class Slow:
    """A writer that has the turn from ``begun`` on until ``go_on`` is set."""

    def __init__(self, store: Database) -> None:
        self._store = store
        self.begun, self.go_on = threading.Event(), threading.Event()

    def write(self) -> None:
        with self._store.transaction():
            self.begun.set()
            assert self.go_on.wait(PATIENCE_S)


def write(store: Database, code: str, *, large: bool = False, fail: bool = False) -> None:
    with store.transaction(large=large) as session:
        session.add(Target(code=code, name="Plate"))
        session.flush()
        if fail:
            raise ZeroDivisionError(code)


def codes(store: Database) -> set[str]:
    with store.read() as session:
        return set(session.scalars(select(Target.code)))


def waiting(store: Database) -> int:
    return len(store._groups._queue)


def queued_behind(
    store: Database, threads: ThreadPoolExecutor, works: list[Callable[[], None]]
) -> tuple[Future[None], list[Future[None]]]:
    """Let ``works`` wait, in their order, behind a writer; it goes on when all of them wait."""
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with store.transaction() as session:
            session.add(Target(code="first", name="Plate"))
            session.flush()
            begun.set()
            assert go_on.wait(PATIENCE_S)

    leader = threads.submit(first)
    assert begun.wait(PATIENCE_S)
    others: list[Future[None]] = []
    for work in works:
        others.append(threads.submit(work))
        while waiting(store) < len(others):
            assert not others[-1].done()
    go_on.set()
    return leader, others


def test_writers_that_wait_for_each_other_share_a_commit(store, threads):
    with counted_commits(store) as commits:
        leader, others = queued_behind(store, threads, [lambda code=code: write(store, code) for code in "abcdef"])
        for one in (leader, *others):
            one.result(PATIENCE_S)
    assert len(commits) == 1
    assert codes(store) == {"first", *"abcdef"}


def test_a_writer_that_fails_takes_no_work_of_others_with_it(store, threads):
    works = [lambda code=code: write(store, code, fail=code in "bd") for code in "abcde"]
    leader, others = queued_behind(store, threads, works)
    leader.result(PATIENCE_S)
    assert [type(one.exception(PATIENCE_S)) for one in others] == [
        type(None),
        ZeroDivisionError,
        type(None),
        ZeroDivisionError,
        type(None),
    ]
    assert codes(store) == {"first", "a", "c", "e"}


def test_a_leader_that_fails_leaves_the_work_of_others(store, threads):
    begun, go_on = threading.Event(), threading.Event()

    def failing() -> None:
        with store.transaction() as session:
            session.add(Target(code="lost", name="Plate"))
            session.flush()
            begun.set()
            assert go_on.wait(PATIENCE_S)
            raise ZeroDivisionError

    leader = threads.submit(failing)
    assert begun.wait(PATIENCE_S)
    other = threads.submit(write, store, "kept")
    while not waiting(store):
        assert not other.done()
    go_on.set()
    other.result(PATIENCE_S)
    assert isinstance(leader.exception(PATIENCE_S), ZeroDivisionError)
    assert codes(store) == {"kept"}


def test_large_work_shares_its_commit_with_nobody(store, threads):
    works = [
        lambda: write(store, "before"),
        lambda: write(store, "large", large=True),
        lambda: write(store, "after"),
    ]
    with counted_commits(store) as commits:
        leader, others = queued_behind(store, threads, works)
        for one in (leader, *others):
            one.result(PATIENCE_S)
    assert len(commits) == 3


def test_a_store_without_shared_commits_has_one_for_each_writer(tmp_path, threads):
    store = Database.at(tmp_path / "own.sqlite3")
    store.migrate()
    with counted_commits(store) as commits:
        leader, others = queued_behind(store, threads, [lambda code=code: write(store, code) for code in "abc"])
        for one in (leader, *others):
            one.result(PATIENCE_S)
    store.close()
    assert len(commits) == 4


def test_every_writer_of_a_commit_that_fails_is_told(store, threads):
    def refuse(connection: object) -> None:
        raise sqlite_trouble("database or disk is full")

    event.listen(store.engine, "commit", refuse)
    leader, others = queued_behind(store, threads, [lambda code=code: write(store, code) for code in "abc"])
    errors = [one.exception(PATIENCE_S) for one in (leader, *others)]
    event.remove(store.engine, "commit", refuse)
    assert [error.code for error in errors if isinstance(error, UserFacingError)] == ["disk-full"] * 4
    assert codes(store) == set()


def test_what_is_not_told_as_lost_is_in_a_full_store(store, threads):
    write(store, "warm")
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(store.engine, "begin")
    def limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")

    def wide(code: str) -> Callable[[], None]:
        def work() -> None:
            with store.transaction() as session:
                session.add(Target(code=code, name="Plate", description=code * 9_000))

        return work

    leader, others = queued_behind(store, threads, [wide(code) for code in "abcdefgh"])
    everyone = zip(("first", *"abcdefgh"), (leader, *others), strict=True)
    outcome = {code: one.exception(PATIENCE_S) for code, one in everyone}
    lost = {code for code, error in outcome.items() if error is not None}
    assert {error.code for error in outcome.values() if isinstance(error, UserFacingError)} == {"disk-full"}
    assert codes(store) == {"warm", *outcome} - lost


def test_a_writer_that_waits_too_long_is_told(tmp_path, threads):
    store = Database(f"sqlite:///{tmp_path / 'slow.sqlite3'}", busy_timeout_ms=50, shared_commits=True)
    store.migrate()
    slow = Slow(store)
    leader = threads.submit(slow.write)
    assert slow.begun.wait(PATIENCE_S)
    with pytest.raises(Unavailable) as refusal:
        write(store, "late")
    slow.go_on.set()
    leader.result(PATIENCE_S)
    write(store, "next")
    found = codes(store)
    store.close()
    assert (refusal.value.code, found) == ("store-locked", {"next"})


def test_work_on_an_event_loop_waits_without_holding_it_up(store, threads):
    slow = Slow(store)

    async def main() -> list[str]:
        happened: list[str] = []
        leader = threads.submit(slow.write)
        assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
        writing = asyncio.ensure_future(on_loop(write, store=store, code="looped"))
        writing.add_done_callback(lambda _: happened.append("written"))
        while not waiting(store):
            await asyncio.sleep(0)
        happened.append("the loop went on")
        slow.go_on.set()
        await writing
        leader.result(PATIENCE_S)
        return happened

    assert asyncio.run(main()) == ["the loop went on", "written"]
    assert codes(store) == {"looped"}


def test_works_of_an_event_loop_share_a_commit(store):
    async def main() -> None:
        await asyncio.gather(*(on_loop(write, store=store, code=code) for code in "abcdefgh"))

    with counted_commits(store) as commits:
        asyncio.run(main())
    assert len(commits) == 1


def test_cancelled_work_leaves_its_turn_to_the_next(store, threads):
    slow = Slow(store)

    async def main() -> None:
        leader = threads.submit(slow.write)
        assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
        gone = asyncio.ensure_future(on_loop(write, store=store, code="gone"))
        while not waiting(store):
            await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        slow.go_on.set()
        await on_loop(write, store=store, code="next")
        leader.result(PATIENCE_S)

    asyncio.run(main())
    assert codes(store) == {"next"}


def test_work_cancelled_as_its_turn_comes_passes_it_on(store, threads):
    slow = Slow(store)

    async def main() -> None:
        leader = threads.submit(slow.write)
        assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
        gone = asyncio.ensure_future(on_loop(write, store=store, code="gone"))
        while not waiting(store):
            await asyncio.sleep(0)
        slow.go_on.set()
        while waiting(store):
            pass  # The loop must not run before the turn is given.
        asyncio.get_running_loop().call_soon(gone.cancel)
        with pytest.raises(asyncio.CancelledError):
            await gone
        await asyncio.wrap_future(leader)
        await on_loop(write, store=store, code="next")

    asyncio.run(main())
    assert "next" in codes(store)


def test_a_turn_goes_past_work_whose_event_loop_has_ended(store, threads):
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with store.transaction() as session:
            session.add(Target(code="slow", name="Plate"))
            session.flush()
            begun.set()
            assert go_on.wait(PATIENCE_S)

    async def leave_one_behind() -> Future[None]:
        leader = threads.submit(slow)
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        kept.append(asyncio.ensure_future(on_loop(write, store=store, code="gone")))
        while not waiting(store):
            await asyncio.sleep(0)
        return leader

    kept: list[asyncio.Future[None]] = []
    loop = asyncio.new_event_loop()
    leader = loop.run_until_complete(leave_one_behind())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    other = threads.submit(write, store, "other")
    go_on.set()
    leader.result(PATIENCE_S)
    other.result(PATIENCE_S)
    assert codes(store) == {"slow", "other"}


def test_members_learn_that_the_one_who_commits_was_interrupted(store, threads):
    def interrupted(connection: object) -> None:
        raise KeyboardInterrupt

    event.listen(store.engine, "commit", interrupted)
    leader, others = queued_behind(store, threads, [lambda: write(store, "a")])
    told = leader.exception(PATIENCE_S)
    assert isinstance(others[0].exception(PATIENCE_S), KeyboardInterrupt)
    event.remove(store.engine, "commit", interrupted)
    write(store, "next")
    assert (getattr(told, "code", None), codes(store)) == ("store-write-lost", {"next"})


def test_no_more_than_sixteen_writers_share_a_commit(store):
    with ThreadPoolExecutor(MOST_MEMBERS + 4) as threads, counted_commits(store) as commits:
        works = [lambda code=code: write(store, str(code)) for code in range(MOST_MEMBERS)]
        leader, others = queued_behind(store, threads, works)
        for one in (leader, *others):
            one.result(PATIENCE_S)
    assert len(commits) == 2


def sqlite_trouble(text: str) -> Exception:
    import sqlite3

    from sqlalchemy.exc import OperationalError

    return OperationalError("COMMIT", {}, sqlite3.OperationalError(text))
