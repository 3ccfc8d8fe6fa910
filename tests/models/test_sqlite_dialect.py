"""How transactions of a SQLite store begin."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from models.database import Database


@pytest.fixture
def store(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}", busy_timeout_ms=50)
    yield database
    database.close()


@pytest.fixture
def held(store, tmp_path):
    """Another program has the write lock."""
    with store.read() as session:
        session.connection()  # The file is there.
    other = sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def one(connection) -> int:
    return connection.exec_driver_sql("SELECT 1").scalar_one()


def test_a_transaction_that_reads_begins_while_another_program_writes(store, held):
    with store.read() as session:
        assert one(session.connection()) == 1


def test_single_statements_are_answered_while_another_program_writes(store, held):
    with store.connection() as connection:
        assert one(connection) == 1


def test_a_transaction_takes_the_write_lock_before_its_first_statement(store, held):
    with store.engine.connect() as connection, pytest.raises(OperationalError, match="database is locked"):
        connection.begin()


def test_a_connection_that_has_read_takes_the_write_lock_for_its_next_user(store, held):
    with store.read() as session:
        reader = session.connection().connection.driver_connection
    with store.engine.connect() as connection:
        assert connection.connection.driver_connection is reader
        with pytest.raises(OperationalError, match="database is locked"):
            one(connection)


def test_a_second_transaction_of_a_reader_begins_without_the_write_lock(store, held):
    with store.read() as session:
        one(session.connection())
        session.rollback()
        assert one(session.connection()) == 1
