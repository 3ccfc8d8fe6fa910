"""A prepared statement gives what SQLAlchemy gives for it, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base import Json, UtcDateTime, enumeration
from models.database import Database
from models.prepared import Prepared
from models.states import ExecutionStatus

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(10)),
    Column("at", UtcDateTime()),
    Column("status", enumeration(ExecutionStatus)),
    Column("content", Json),
    Column("good", Boolean),
)
NAMES = tuple(column.key for column in THINGS.c)
ADD = Prepared(insert(THINGS), NAMES)
ALL = select(THINGS).order_by(THINGS.c.id)
ONE = {
    "id": 1,
    "name": "a",
    "at": datetime(2026, 5, 1, 12, 30, 15, 123_000, timezone(timedelta(hours=2))),
    "status": ExecutionStatus.RUNNING,
    "content": {"ä": [1, None, 2.5]},
    "good": True,
}
NOTHING = {**dict.fromkeys(NAMES), "id": 2}


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection in a transaction, with an empty table of every type."""
    store = Database(database_url)
    with store.engine.connect() as opened, opened.begin():
        THINGS.create(opened)
        yield opened
    store.close()


def test_what_is_written_is_read_with_its_types(connection: Connection) -> None:
    ADD.run(connection, ONE)
    row = Prepared(ALL).first(connection)
    assert row is not None
    assert row._asdict() == {**ONE, "at": datetime(2026, 5, 1, 10, 30, 15, 123_000, UTC)}


def test_rows_are_those_of_sqlalchemy(connection: Connection) -> None:
    connection.execute(insert(THINGS), [ONE, NOTHING])
    assert [tuple(row) for row in Prepared(ALL).all(connection)] == [tuple(row) for row in connection.execute(ALL)]


def test_what_is_written_is_what_sqlalchemy_writes(connection: Connection) -> None:
    ADD.run(connection, [ONE, NOTHING])
    connection.execute(insert(THINGS), [{**ONE, "id": 3}, {**NOTHING, "id": 4}])
    rows = [tuple(row)[1:] for row in connection.execute(ALL)]
    assert rows[:2] == rows[2:]


def test_a_value_of_the_statement_itself_is_kept(connection: Connection) -> None:
    ADD.run(connection, [ONE, NOTHING])
    running = Prepared(
        select(THINGS.c.id).where(THINGS.c.status == ExecutionStatus.RUNNING, THINGS.c.id >= bindparam("least"))
    )
    assert [row.id for row in running.all(connection, {"least": 0})] == [1]


def test_a_write_gives_the_number_of_rows(connection: Connection) -> None:
    ADD.run(connection, [ONE, NOTHING])
    rename = Prepared(update(THINGS).where(THINGS.c.id == bindparam("of")), ("name",))
    assert (rename.run(connection, {"of": 1, "name": "b"}), rename.run(connection, {"of": 9, "name": "b"})) == (1, 0)


def test_a_write_that_returns_columns_gives_them(connection: Connection) -> None:
    ADD.run(connection, ONE)
    counted = Prepared(update(THINGS).values(id=THINGS.c.id + 10).returning(THINGS.c.id, THINGS.c.status))
    (row,) = counted.all(connection)
    assert (row.id, row.status) == (11, ExecutionStatus.RUNNING)


def test_a_broken_rule_of_the_store_is_the_error_of_sqlalchemy(connection: Connection) -> None:
    ADD.run(connection, ONE)
    with pytest.raises(IntegrityError), connection.begin_nested():
        ADD.run(connection, ONE)
    assert len(Prepared(ALL).all(connection)) == 1
