"""Prepared statements on SQLite: what is lost, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from models.database import Database
from models.prepared import Prepared, lost_its_transaction

THINGS = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("text", String, default="x"))
ADD = Prepared(insert(THINGS), ("id", "text"))
RENAME = Prepared(update(THINGS).values(text="y").returning(THINGS.c.id))
WIDE = "x" * 9_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a store that has no room for more than some pages."""
    store = Database.at(tmp_path / "store.sqlite3")
    with store.engine.connect() as opened:
        THINGS.create(opened)
        opened.commit()
        pages = opened.exec_driver_sql("PRAGMA page_count").scalar()
        opened.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
        opened.commit()
        yield opened
    store.close()


def fill(connection: Connection) -> None:
    for number in range(10):
        ADD.run(connection, {"id": number, "text": WIDE})


def test_a_full_store_is_the_error_of_sqlalchemy(connection: Connection) -> None:
    with pytest.raises(OperationalError) as caught, connection.begin():
        fill(connection)
    assert "full" in str(caught.value.orig)


def test_a_connection_whose_transaction_the_store_ended_is_not_used_again(connection: Connection) -> None:
    with pytest.raises(OperationalError) as caught, connection.begin():
        fill(connection)
    assert (caught.value.connection_invalidated, connection.invalidated) == (True, True)


def test_an_error_within_a_transaction_leaves_the_connection(connection: Connection) -> None:
    with pytest.raises(OperationalError) as caught, connection.begin():
        Prepared(insert(Table("missing", MetaData(), Column("id", Integer))), ("id",)).run(connection, {"id": 1})
    assert (caught.value.connection_invalidated, lost_its_transaction(connection)) == (False, False)


def test_the_error_shows_no_value_of_the_statement(connection: Connection) -> None:
    twice = [{"id": 1, "text": "secret"}] * 2
    with pytest.raises(IntegrityError, match="UNIQUE") as caught, connection.begin():
        ADD.run(connection, twice)
    assert "secret" not in str(caught.value)


def test_a_read_outside_of_a_transaction_begins_none(connection: Connection) -> None:
    Prepared(select(THINGS.c.id)).all(connection)
    assert not connection.in_transaction()


@pytest.mark.parametrize(
    "write",
    [
        lambda connection: ADD.run(connection, {"id": 1, "text": "x"}),
        lambda connection: ADD.run(connection, [{"id": 1, "text": "x"}]),
        RENAME.all,
    ],
    ids=["one", "several", "returning"],
)
def test_a_write_outside_of_a_transaction_is_refused(
    connection: Connection, write: Callable[[Connection], object]
) -> None:
    with pytest.raises(RuntimeError):
        write(connection)
    assert connection.execute(select(THINGS)).all() == []


def test_a_list_of_values_is_refused(connection: Connection) -> None:
    listed = Prepared(select(THINGS.c.id).where(THINGS.c.id.in_([1, 2])))
    with pytest.raises(TypeError):
        listed.all(connection)


def test_a_column_that_its_type_would_fill_is_refused(connection: Connection) -> None:
    with pytest.raises(TypeError), connection.begin():
        Prepared(insert(THINGS), ("id",)).run(connection, {"id": 1})


def test_a_missing_value_is_an_error(connection: Connection) -> None:
    with pytest.raises(KeyError):
        Prepared(select(THINGS.c.id).where(THINGS.c.id == bindparam("of"))).all(connection)
