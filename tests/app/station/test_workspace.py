from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from app.station.operations.open_sessions import open_parts
from app.station.operations.sessions import begin_session
from app.station.operations.sync_status import sync_status
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.imaging.frames import Frame
from models.audit import AuditEntry
from models.clock import HybridLogicalClock
from models.errors import Conflict, InvalidInput, NotFound, Unavailable
from models.sessions import InspectionSession
from models.states import SessionStatus
from models.sync import OutboxEntry
from sync.station.outbox import OutboxRecorder
from tests.support.capture import capture
from tests.support.station import DEVICE, Station

SETTINGS = StationSettings()


def test_a_new_store_belongs_to_no_server(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "new", settings=SETTINGS) as workspace:
        assert not workspace.enrolled
        assert workspace.engine is None
        assert sync_status(workspace).waiting == 0
        with pytest.raises(Conflict) as caught:
            workspace.require_device()
        assert caught.value.code == "not-enrolled"


def test_a_store_in_use_admits_only_readers(workspace: Workspace) -> None:
    with pytest.raises(Conflict) as refused:
        Workspace.open(workspace.store, settings=SETTINGS)
    assert refused.value.code == "store-in-use"
    with Workspace.open(workspace.store, settings=SETTINGS, exclusive=False) as reader:
        assert reader.device_id == DEVICE


def test_a_closed_store_can_be_opened_again(station: Station) -> None:
    for _ in range(2):
        with Workspace.open(station.store, settings=SETTINGS) as workspace:
            assert workspace.enrolled


def test_a_store_that_could_not_be_opened_is_not_left_locked(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInput):
        Workspace.open(tmp_path)
    Workspace.open(tmp_path, settings=SETTINGS).close()


def test_reading_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        Workspace.open(tmp_path / "nowhere", exclusive=False)
    assert refused.value.code == "no-store"
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_database_is_kept_when_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "station.sqlite3").write_bytes(b"this is no database, not even nearly" * 100)
    with pytest.raises(Unavailable) as refused:
        Workspace.open(tmp_path, settings=SETTINGS)
    assert refused.value.code == "store-damaged"
    assert (tmp_path / "station.sqlite3").read_bytes().startswith(b"this is no database")


def test_a_file_in_the_place_of_the_store_is_reported(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    with pytest.raises(Unavailable) as refused:
        Workspace.open(tmp_path / "store", settings=SETTINGS)
    assert (refused.value.code, refused.value.values["folder"]) == ("store-folder-unusable", str(tmp_path / "store"))


def test_a_clock_set_back_by_a_year_does_not_go_back(station: Station) -> None:
    with Workspace.open(station.store, settings=SETTINGS) as before:
        newest = before.clock.now()
        begin_session(before, station.operator, target_id=station.target_id)
    with Workspace.open(station.store, settings=SETTINGS) as after:
        late = HybridLogicalClock(DEVICE, after.clock.now(), wall=lambda: newest.milliseconds - 365 * 86_400_000)
        after.database.recorder = OutboxRecorder(late)
        begin_session(after, station.operator, target_id=station.target_id)
        with after.database.read() as session:
            clocks = list(session.scalars(select(OutboxEntry.clock).order_by(OutboxEntry.sequence)))
    assert clocks == sorted(clocks)
    assert len(set(clocks)) == len(clocks)


def test_what_a_crash_left_half_written_is_gone_after_the_next_start(station: Station) -> None:
    (station.store / "work" / "training-x").mkdir()
    (station.store / "work" / "training-x" / "model.bundle").write_bytes(b"half")
    (station.store / "blobs" / "ab").mkdir(exist_ok=True)
    (station.store / "blobs" / "ab" / "tmp-0123456789abcdef").write_bytes(b"half")
    with Workspace.open(station.store, settings=SETTINGS) as workspace:
        assert workspace.recovery.temporary_files_removed == 2
    assert not list((station.store / "work").iterdir())
    assert not (station.store / "blobs" / "ab" / "tmp-0123456789abcdef").exists()


def test_only_a_session_cut_off_before_its_result_fails(station: Station, frames: list[Frame]) -> None:
    with Workspace.open(station.store, settings=SETTINGS) as before:
        cut_off = begin_session(before, station.operator, target_id=station.target_id).session_id
        inspected = capture(before, station.operator, station.target_id, station.item_id, frames[0]).session_id
    with Workspace.open(station.store, settings=SETTINGS) as after:
        assert after.recovery.sessions_failed == 1
        assert after.recovery.sessions_open == (inspected,)
        assert [part.session_id for part in open_parts(after)] == [inspected]
        with after.database.read() as session:
            assert session.get_one(InspectionSession, cut_off).status is SessionStatus.FAILED
            last = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()
            assert last is not None
            assert (last.action, last.subject_id) == ("session.failed", cut_off)


def test_a_blob_that_vanished_is_noticed_at_the_start(station: Station, frames: list[Frame]) -> None:
    with Workspace.open(station.store, settings=SETTINGS) as before:
        inspection = capture(before, station.operator, station.target_id, station.item_id, frames[0])
        before.blobs.path(inspection.image_sha256).unlink()
    with Workspace.open(station.store, settings=SETTINGS) as after:
        assert after.recovery.missing_blobs == (inspection.image_sha256,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits for folders")
def test_a_read_only_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser may write anywhere, so the system's answer is what is put in its place.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(Unavailable) as refused:
        Workspace.open(tmp_path / "store", settings=SETTINGS)
    assert (refused.value.code, refused.value.values["folder"]) == ("store-folder-read-only", str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EACCES, "store-folder-unusable")],
)
def test_a_store_whose_folders_find_no_room_is_reported_as_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    # No test can fill the disk with folders; the refusal is the one the system gives.
    def refuse(path: Path, *args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Unavailable) as reported:
        Workspace.open(tmp_path / "new", settings=SETTINGS)
    assert reported.value.code == code
