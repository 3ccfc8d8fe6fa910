"""A store can be looked at where the disk has no room for anything."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from models.database import Database
from models.errors import Unavailable
from models.targets import Target
from tests.support.full_disk import largest_file
from tests.support.newest_schema import newest_store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to try this with")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that nobody has open, with the newest schema."""
    made = tmp_path / "store.sqlite3"
    made.write_bytes(newest_store())
    return made


def codes_without_room(path: Path, *, read_without_room: bool) -> list[str]:
    """Read the codes of all targets on a full disk, by one connection after the other."""
    database = Database.at(path, read_without_room=read_without_room)
    try:
        with largest_file(0):
            for _ in range(2):
                with database.read() as session:
                    found = list(session.scalars(select(Target.code)))
        return found
    finally:
        database.close()


def written(path: Path, code: str) -> None:
    database = Database.at(path)
    with database.transaction() as session:
        session.add(Target(code=code, name="T"))
    database.close()


def test_a_store_is_read_without_room_for_the_index_of_its_log(path: Path) -> None:
    written(path, "kept")
    assert codes_without_room(path, read_without_room=True) == ["kept"]


def test_what_waits_in_the_log_of_a_crash_is_read_without_room(path: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as open_still:
        open_still.execute("PRAGMA journal_mode=WAL")
        open_still.execute("SELECT count(*) FROM targets").fetchall()
        written(path, "in the log")
        crashed = tmp_path / "crashed.sqlite3"
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{crashed}{suffix}")
    assert codes_without_room(crashed, read_without_room=True) == ["in the log"]


def test_a_store_that_somebody_works_in_is_read_beside_them(path: Path) -> None:
    database = Database.at(path)
    with database.transaction() as session:
        session.add(Target(code="beside", name="T"))
    assert codes_without_room(path, read_without_room=True) == ["beside"]
    database.close()


def test_a_store_to_write_in_is_not_opened_without_room(path: Path) -> None:
    with pytest.raises(Unavailable):
        codes_without_room(path, read_without_room=False)


def test_the_store_is_free_again_once_it_was_looked_at(path: Path) -> None:
    codes_without_room(path, read_without_room=True)
    written(path, "later")
    assert codes_without_room(path, read_without_room=True) == ["later"]
