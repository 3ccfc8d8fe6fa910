from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.sources.folder import FolderSource
from models.database import Database
from models.errors import NotFound, Unavailable
from tests.support.capture import agree, capture
from tests.support.station import Station


@pytest.fixture(scope="module")
def once_used_store(trained_station: Station, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two verified parts, closed."""
    station = trained_station
    store = tmp_path_factory.mktemp("used") / "store"
    shutil.copytree(station.store, store)
    with (
        FolderSource(station.parts.test) as source,
        Workspace.open(store, settings=StationSettings()) as workspace,
    ):
        for _ in range(2):
            frame = source.read()
            assert frame is not None
            found = capture(workspace, station.operator, station.target_id, station.item_id, frame)
            agree(workspace, station.operator, found)
    return store


@pytest.fixture
def used_store(once_used_store: Path, tmp_path: Path) -> Path:
    """A copy that the test may spoil."""
    return Path(shutil.copytree(once_used_store, tmp_path / "store"))


def sql(store: Path, *statements: str) -> None:
    connection = sqlite3.connect(store / "station.sqlite3", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def codes(store: Path) -> set[str]:
    return {finding.code for finding in check_store(store).findings}


def first_blob(store: Path) -> Path:
    return next(path for path in sorted((store / "blobs").glob("??/*")) if path.read_bytes().startswith(b"\x89PNG"))


def test_a_used_store_is_consistent(used_store: Path) -> None:
    report = check_store(used_store)
    assert report.findings == ()
    assert report.counts["sessions"] == 2
    assert report.counts["blobs"] == 5


def test_a_running_station_does_not_disturb_the_check(workspace: Workspace) -> None:
    assert check_store(workspace.store).consistent


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (Path.unlink, "missing"),
        (_flip, "wrong-digest"),
        (lambda path: path.write_bytes(b""), "wrong-size"),
    ],
)
def test_a_damaged_blob_is_found(used_store: Path, damage: Callable[[Path], object], reason: str) -> None:
    damage(first_blob(used_store))
    (finding,) = check_store(used_store).findings
    assert (finding.code, finding.values["reason"]) == ("finding-blob-unsent", reason)
    assert finding.sentence("ja")


def test_a_damaged_blob_that_the_server_has_received_is_told_as_such(used_store: Path) -> None:
    sql(used_store, "UPDATE blobs SET uploaded_at = created_at")
    _flip(first_blob(used_store))
    assert codes(used_store) == {"finding-blob"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE audit_entries SET actor = 'nobody' WHERE sequence = 2", "finding-audit"),
        ("DELETE FROM audit_entries WHERE sequence = 2", "finding-audit"),
        ("DELETE FROM outbox WHERE entity = 'ai_result'", "finding-never-sent"),
        ("UPDATE outbox SET entity_id = 'gone' WHERE sequence = 3", "finding-outbox-orphan"),
        ("DELETE FROM ai_results", "finding-no-result"),
        ("UPDATE inspection_sessions SET completed_at = NULL", "finding-completion"),
        ("UPDATE inspection_sessions SET effective_verdict = 'HOLD'", "finding-verdict"),
        ("DELETE FROM blobs", "finding-unnamed-blob"),
        ("UPDATE inspection_items SET target_id = 'gone'", "finding-foreign-key"),
    ],
)
def test_a_changed_row_is_found(used_store: Path, statement: str, code: str) -> None:
    sql(used_store, "PRAGMA foreign_keys=OFF", statement)
    assert code in codes(used_store)


def test_a_torn_database_page_is_reported(used_store: Path) -> None:
    sql(used_store, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE")
    path = used_store / "station.sqlite3"
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 4096, 3):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    try:
        found = codes(used_store)
    except Unavailable as error:
        found = {error.code}
    assert found <= {"finding-database", "store-damaged"}
    assert found


def test_a_store_that_was_only_begun_is_consistent(tmp_path: Path) -> None:
    Database.at(tmp_path / "station.sqlite3").close()
    (tmp_path / "station.sqlite3").touch()
    assert check_store(tmp_path).consistent


def test_no_store_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        check_store(tmp_path)
    assert caught.value.code == "no-store"


def test_a_store_of_a_newer_version_is_left_alone(used_store: Path) -> None:
    sql(used_store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable) as refused:
        check_store(used_store)
    assert refused.value.code == "store-newer"


def test_a_master_the_server_has_taken_without_sending_it_back_is_no_finding(used_store: Path) -> None:
    sql(used_store, "DELETE FROM outbox WHERE entity = 'model_file'")
    assert codes(used_store) == {"finding-never-sent"}
    sql(used_store, """UPDATE model_files SET field_clocks = '{"name": {"rev": 11, "clock": ""}}'""")
    assert codes(used_store) == set()
