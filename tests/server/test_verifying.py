"""A server's data are checked: database, audit trails, sessions, change log, files by their digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.audit import append_audit
from models.errors import NotFound, Unavailable
from models.states import HumanVerdict
from models.storage import sha256_of
from models.sync import StoredFile
from server.core.settings import ServerSettings
from server.process.verifying import check_server
from tests.support.sync_stores import ServerStore, Station, prepared

pytestmark = pytest.mark.slow
HELD_NO_MORE = {
    b"pixels of a part": ("DELETE FROM blobs",),
    b"upload": ("DELETE FROM stored_files",),
}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[ServerSettings]:
    """Of a server with an audit trail, a verified part of a station and an uploaded file."""
    server = ServerStore(tmp_path / "data")
    station = Station(tmp_path / "station", server, "one")
    user, target, _ = prepared(server, station)
    part = station.inspect_part(target.id, user.id, image=b"pixels of a part")
    station.verify_part(part, HumanVerdict.OK, user.id)
    for _ in range(2):
        with station.database.transaction() as session:
            append_audit(session, device_id=station.device_id, actor="a", action="b")
    station.sync()
    server.objects.put(sha256_of(b"upload"), b"upload")
    server.add(StoredFile(sha256=sha256_of(b"upload"), filename="a.png", content_type="image/png", size_bytes=6))
    station.close()
    server.close()
    return ServerSettings(data_dir=tmp_path / "data")


def sql(settings: ServerSettings, *statements: str) -> None:
    with closing(sqlite3.connect(settings.data_dir / "server.sqlite3", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).close()


def codes(settings: ServerSettings) -> set[str]:
    return {finding.code for finding in check_server(settings).findings}


def object_file(settings: ServerSettings, content: bytes) -> Path:
    sha256 = sha256_of(content)
    return next(path for path in (settings.data_dir / "objects").rglob("*") if sha256 in str(path) and path.is_file())


def test_a_used_server_is_consistent(settings: ServerSettings) -> None:
    report = check_server(settings)
    assert report.findings == ()
    assert (report.counts["sessions"], report.counts["files"], report.counts["files_awaited"]) == (1, 2, 0)
    assert report.counts["records"] > 6


def test_nothing_is_changed_by_a_check(settings: ServerSettings) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file()}

    check_server(settings)
    before = contents()
    check_server(settings)
    assert contents() == before


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (Path.unlink, "missing"),
        (lambda path: path.write_bytes(b"PIXELS of a part"), "wrong-digest"),
        (lambda path: path.write_bytes(b""), "wrong-size"),
    ],
)
def test_a_damaged_file_is_found(settings: ServerSettings, damage: Callable[[Path], object], reason: str) -> None:
    damage(object_file(settings, b"pixels of a part"))
    (finding,) = check_server(settings).findings
    assert finding.code == "finding-object"
    assert finding.values == {"sha256": sha256_of(b"pixels of a part"), "reason": reason}


@pytest.mark.parametrize("content", [b"PIXELS of a part", b""])
def test_a_damaged_file_is_kept_under_another_name_when_asked(settings: ServerSettings, content: bytes) -> None:
    path = object_file(settings, b"pixels of a part")
    path.write_bytes(content)
    (finding,) = check_server(settings, set_aside=True).findings
    assert (finding.code, path.exists()) == ("finding-object-set-aside", False)
    (kept,) = (settings.data_dir / "objects" / "damaged").iterdir()
    assert kept.read_bytes() == content


def test_a_damaged_file_stays_where_it_is_unless_asked(settings: ServerSettings) -> None:
    path = object_file(settings, b"pixels of a part")
    path.write_bytes(b"")
    check_server(settings)
    assert path.read_bytes() == b""


def test_a_good_file_of_a_wrong_recorded_size_is_not_set_aside(settings: ServerSettings) -> None:
    sql(settings, "UPDATE stored_files SET size_bytes = 7")
    (finding,) = check_server(settings, set_aside=True).findings
    assert (finding.code, object_file(settings, b"upload").read_bytes()) == ("finding-object", b"upload")


def test_a_file_that_a_client_uploaded_is_checked_too(settings: ServerSettings) -> None:
    object_file(settings, b"upload").unlink()
    assert codes(settings) == {"finding-object"}


def test_a_file_that_came_before_a_restore_is_checked_too(settings: ServerSettings) -> None:
    sql(settings, "DELETE FROM blobs")
    report = check_server(settings)
    assert (report.findings, report.counts["files"], report.counts["files_awaited"]) == ((), 2, 0)
    object_file(settings, b"pixels of a part").write_bytes(b"PIXELS of a part")
    assert codes(settings) == {"finding-object"}


def test_an_image_that_has_not_come_yet_is_no_finding(settings: ServerSettings) -> None:
    sql(settings, "DELETE FROM blobs")
    object_file(settings, b"pixels of a part").unlink()
    report = check_server(settings)
    assert (report.findings, report.counts["files_awaited"]) == ((), 1)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE audit_entries SET actor = 'nobody' WHERE sequence = 1", "finding-audit"),
        ("DELETE FROM audit_entries WHERE sequence = 1", "finding-audit"),
        ("UPDATE inspection_sessions SET completed_at = NULL", "finding-completion"),
        ("UPDATE inspection_sessions SET effective_verdict = 'HOLD'", "finding-verdict"),
        ("UPDATE inspection_items SET target_id = 'gone'", "finding-foreign-key"),
        ("UPDATE change_log_head SET position = 1", "finding-change-log"),
        ("DELETE FROM change_log WHERE position = 2", "finding-change-log-gap"),
    ],
)
def test_a_changed_row_is_found(settings: ServerSettings, statement: str, code: str) -> None:
    sql(settings, "PRAGMA foreign_keys=OFF", statement)
    assert code in codes(settings)


def test_a_torn_database_page_is_reported(settings: ServerSettings) -> None:
    sql(settings, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE")
    path = settings.data_dir / "server.sqlite3"
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 4096, 3):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    try:
        found = codes(settings)
    except Unavailable as error:
        found = {error.code}
    assert found
    assert found <= {"finding-database", "store-damaged"}


def test_a_file_that_was_removed_meanwhile_is_no_finding(settings: ServerSettings) -> None:
    contents = sorted((b"pixels of a part", b"upload"), key=sha256_of)

    def remove_the_other(done: int, _: int) -> None:
        if done == 1:
            sql(settings, *HELD_NO_MORE[contents[1]])
            object_file(settings, contents[1]).unlink()

    assert check_server(settings, remove_the_other).findings == ()


def test_a_folder_without_a_server_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        check_server(ServerSettings(data_dir=tmp_path))
    assert caught.value.code == "server-no-store"


def test_data_of_a_newer_version_are_left_alone(settings: ServerSettings) -> None:
    sql(settings, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable) as refused:
        check_server(settings)
    assert refused.value.code == "store-newer"
