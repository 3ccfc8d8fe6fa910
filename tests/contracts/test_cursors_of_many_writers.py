"""Sixteen writers at once on PostgreSQL: cursors by sequence or by time lose rows, the change log's cursor none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from app.benchmarks import private_postgresql as postgresql
from models.ids import new_id
from models.targets import Target
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.sync.pull import pull

WRITERS = 16
PAGE = 7
DEADLINE_S = 60


@pytest.fixture
def database_url(postgresql_socket: str, newest_postgresql: str) -> Iterator[str]:
    with postgresql.database(postgresql_socket, f"t{new_id()}", template=newest_postgresql) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url, pool_size=WRITERS + 1)
    with made.begin() as connection:
        connection.execute(
            text("CREATE TABLE naive_log (id bigserial, at timestamptz DEFAULT clock_timestamp(), writer int)")
        )
    yield made
    made.dispose()


def together(works: list[Callable[[], None]]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.parametrize("column", ["id", "at"], ids=["sequence", "time"])
def test_a_naive_cursor_loses_the_row_of_a_writer_that_commits_late(engine: Engine, column: str) -> None:
    written, read = threading.Event(), threading.Event()

    def write(number: int, connection: Connection) -> None:
        connection.execute(text("INSERT INTO naive_log (writer) VALUES (:number)"), {"number": number})

    def first() -> None:
        with engine.begin() as connection:
            write(0, connection)
            written.set()
            assert read.wait(DEADLINE_S)

    def other(number: int) -> None:
        assert written.wait(DEADLINE_S)
        with engine.begin() as connection:
            write(number, connection)

    seen: list[int] = []
    cursor: object = None

    def look() -> None:
        nonlocal cursor
        after = f"WHERE {column} > :cursor" if cursor is not None else ""
        query = f"SELECT {column}, writer FROM naive_log {after} ORDER BY {column}"  # noqa: S608 - of this test alone
        with engine.connect() as connection:
            for row in connection.execute(text(query), {"cursor": cursor} if after else {}):
                cursor = row[0]
                seen.append(row[1])

    late, *others = together([first, *(lambda number=number: other(number) for number in range(1, WRITERS))])
    for thread in others:
        thread.join(DEADLINE_S)
    look()
    read.set()
    late.join(DEADLINE_S)
    look()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM naive_log")).scalar() == WRITERS
    assert sorted(seen) == list(range(1, WRITERS))


@pytest.fixture
def context(database_url: str, tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.close()


def test_the_cursor_of_the_change_log_loses_no_row_of_sixteen_writers(context: ServerContext) -> None:
    written, read = threading.Event(), threading.Event()
    each = 4

    def first() -> None:
        with context.database.transaction() as session:
            session.add(Target(code="first", name="first"))
            session.flush()
            written.set()
            assert read.wait(DEADLINE_S)

    def other(number: int) -> None:
        assert written.wait(DEADLINE_S)
        for part in range(each):
            with context.database.transaction() as session:
                session.add(Target(code=f"{number}-{part}", name="other"))

    seen: list[str] = []
    cursor: str | None = None

    def look() -> None:
        nonlocal cursor
        more = True
        while more:
            with context.database.read() as session:
                answer = pull(session, since=cursor, limit=PAGE, device_id=None)
            seen.extend(change.fields["code"] for change in answer.changes)
            cursor, more = answer.next_cursor, answer.has_more

    threads = together([first, *(lambda number=number: other(number) for number in range(1, WRITERS))])
    assert written.wait(DEADLINE_S)
    look()
    read.set()
    while any(thread.is_alive() for thread in threads):
        look()
    look()
    expected = {"first", *(f"{number}-{part}" for number in range(1, WRITERS) for part in range(each))}
    assert len(seen) == len(set(seen))
    assert set(seen) == expected
