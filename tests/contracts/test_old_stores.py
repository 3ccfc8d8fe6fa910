"""Stores that older versions left, station and server: upgraded, they synchronise with nothing lost.

The files of ``old_stores`` were written by the code of each version (``tests/support/frozen_stores.py``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from models.database import Database
from models.targets import Target
from models.verification import HumanVerification
from sync.shared.protocol import Batch, Outcome
from tests.support.frozen_stores import SENT, WAITING
from tests.support.sync_stores import ServerStore, Station, contents

FROZEN = Path(__file__).with_name("old_stores")
REVISIONS = sorted(path.name.removesuffix("-station.sql") for path in FROZEN.glob("*-station.sql"))
FACTS = ("inspection_session", "image", "ai_result", "human_verification")


def thawed(name: str, path: Path) -> None:
    """Make the store of a frozen one and bring it to the newest schema."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as store:
        store.executescript((FROZEN / name).read_text(encoding="utf-8"))
    database = Database.at(path)
    database.migrate()
    database.close()


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(tmp_path: Path, revision: str) -> Iterator[ServerStore]:
    thawed(f"{revision}-server.sql", tmp_path / "server" / "server.sqlite3")
    made = ServerStore(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def station(tmp_path: Path, revision: str, server: ServerStore) -> Iterator[Station]:
    path = tmp_path / "station" / "station.sqlite3"
    thawed(f"{revision}-station.sql", path)
    with closing(sqlite3.connect(path)) as store:
        device_id = store.execute("SELECT device_id FROM inspection_sessions").fetchone()[0]
    made = Station(tmp_path / "station", server, "station", device_id=device_id)
    for number in range(SENT + WAITING):
        sha256 = made.blobs.put(f"pixels {number}".encode())
        if number < SENT:
            server.objects.put(sha256, made.blobs.read(sha256))
    yield made
    made.close()


def test_every_schema_before_the_stores_of_stations_is_frozen() -> None:
    assert REVISIONS[:3] == ["0001", "0002", "0003"]


def test_the_backlog_of_an_upgraded_station_reaches_its_server(server: ServerStore, station: Station) -> None:
    report = station.sync()
    assert (report.dead, report.retried, report.problems) == (0, 0, ())
    assert station.outbox() == []
    here, there = contents(station.database), contents(server.database)
    assert len(here["inspection_session"]) == SENT + WAITING
    for entity in (*FACTS, "target", "item", "user"):
        assert here[entity] == there[entity], entity
    for image in here["image"].values():
        assert server.objects.read(image["sha256"]) == station.blobs.read(image["sha256"])


def test_an_edit_from_before_the_upgrade_stands_on_the_server(server: ServerStore, station: Station) -> None:
    station.sync()
    with server.database.read() as session:
        (target,) = session.scalars(select(Target))
    assert (target.name, target.description) == ("Edited while offline", "検査")


def test_a_station_of_an_older_schema_pushes_its_backlog(server: ServerStore, station: Station, revision: str) -> None:
    batches = json.loads((FROZEN / f"{revision}-batches.json").read_text(encoding="utf-8"))
    results = [
        result for batch in batches for result in server.push(Batch.model_validate(batch), station.device_id).results
    ]
    assert {result.outcome for result in results} == {Outcome.APPLIED}
    assert len(contents(server.database)["inspection_session"]) == SENT + WAITING


def test_fields_unknown_to_every_version_come_through_the_upgrade(server: ServerStore, station: Station) -> None:
    station.sync()
    for place in (server, station):
        with place.database.read() as session:
            marks = [fact.extra.get("of_a_newer_schema") for fact in session.scalars(select(HumanVerification))]
        assert sorted(mark for mark in marks if mark is not None) == list(range(SENT + WAITING))
