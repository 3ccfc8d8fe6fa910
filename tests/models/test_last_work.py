"""Work that is put off to the end of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import Database
from models.last_work import do_last, follow_commit
from models.targets import Target


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database.at(tmp_path / "store.sqlite3")
    database.migrate()
    yield database
    database.close()


def test_work_put_off_sees_what_the_transaction_wrote(store: Database) -> None:
    seen: list[int | None] = []

    def count(session: Session) -> None:
        seen.append(session.scalar(select(func.count()).select_from(Target)))

    with store.transaction() as session:
        do_last(session, count)
        session.add(Target(code="a", name="Plate"))
    assert seen == [1]


def test_work_put_off_is_done_in_its_order(store: Database) -> None:
    done: list[str] = []
    with store.transaction() as session:
        for name in ("first", "second"):
            do_last(session, lambda _, name=name: done.append(name))
    assert done == ["first", "second"]


def test_work_put_off_in_a_savepoint_goes_back_with_it(store: Database) -> None:
    done: list[str] = []
    with store.transaction() as session:
        do_last(session, lambda _: done.append("before"))
        with session.begin_nested():
            do_last(session, lambda _: done.append("kept"))
        with pytest.raises(ZeroDivisionError):
            lose(session, done)
        do_last(session, lambda _: done.append("after"))
    assert done == ["before", "kept", "after"]


def test_work_put_off_is_not_done_when_the_transaction_fails(store: Database) -> None:
    done: list[str] = []

    def failing() -> None:
        with store.transaction() as session:
            do_last(session, lambda _: done.append("lost"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert done == []


def lose(session: Session, done: list[str]) -> None:
    with session.begin_nested():
        with session.begin_nested():
            do_last(session, lambda _: done.append("lost within"))
        do_last(session, lambda _: done.append("lost"))
        raise ZeroDivisionError


def test_what_follows_a_commit_finds_it_done(store: Database) -> None:
    seen: list[int | None] = []

    def count() -> None:
        with store.read() as session:
            seen.append(session.scalar(select(func.count()).select_from(Target)))

    with store.transaction() as session:
        follow_commit(session, "count", count)
        follow_commit(session, "count", count)
        session.add(Target(code="a", name="Plate"))
    assert seen == [1]


def test_nothing_follows_a_transaction_that_is_rolled_back(store: Database) -> None:
    done: list[str] = []

    def fail() -> None:
        with store.transaction() as session:
            follow_commit(session, "note", lambda: done.append("note"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert done == []
