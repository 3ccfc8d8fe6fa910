"""The number that tells whether a SQLite file has changed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from models.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.at(tmp_path / "store.sqlite3")
    yield made
    made.close()


def commit(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS things (id INTEGER)"))
        connection.execute(text("INSERT INTO things VALUES (1)"))


def test_a_commit_changes_the_number(database: Database) -> None:
    before = database.data_version()
    commit(database)
    assert database.data_version() != before


def test_a_block_sees_the_number_of_its_beginning(database: Database) -> None:
    with database.one_version():
        before = database.data_version()
        commit(database)
        assert database.data_version() == before
    assert database.data_version() != before


def test_another_thread_sees_the_new_number_beside_a_block(database: Database) -> None:
    with database.one_version(), ThreadPoolExecutor(1) as pool:
        before = database.data_version()
        commit(database)
        assert pool.submit(database.data_version).result() != before
