"""How long answers are kept, and how many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.database import Database
from server.http.kept_reads import GOOD_S, KeptReads


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.at(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


def test_an_answer_is_read_again_after_its_time(database: Database) -> None:
    answers = iter(range(3))
    kept = KeptReads()
    found = [kept.find("key", database, lambda: next(answers), now) for now in (0.0, GOOD_S / 2, GOOD_S * 2)]
    assert found == [0, 0, 1]


def test_two_databases_do_not_share_an_answer(database: Database, tmp_path: Path) -> None:
    other = Database.at(tmp_path / "other.sqlite3")
    kept = KeptReads()
    found = [kept.find("key", database, lambda: "first", 0.0), kept.find("key", other, lambda: "second", 0.0)]
    other.close()
    assert found == ["first", "second"]


def test_the_oldest_answers_make_room_for_new_ones(database: Database) -> None:
    kept = KeptReads()
    for number in range(100):
        kept.find(number, database, lambda: "kept", 0.0)
    again = {number: kept.find(number, database, lambda: "read", 0.0) for number in (0, 99)}
    assert again == {0: "read", 99: "kept"}
