"""Backup and restore of a station's store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.station.operations.backup import back_up_store, mark_restored, restore_store
from app.station.store_layout import DATABASE, LOCK
from app.station.store_lock import StoreLock
from models.audit import AuditEntry, append_audit, verify_audit
from models.backup import MANIFEST
from models.errors import Conflict, InvalidInput, NotFound, Unavailable, UserFacingError
from models.sessions import InspectionSession
from models.storage import sha256_of
from models.sync import Blob
from sync.station.returned_images import ReturnedImages
from sync.station.state import DEVICE_ID, set_value
from tests.support.sync_stores import ServerStore, Station, contents, prepared

pytestmark = pytest.mark.slow

Reopen = Callable[[Station], Station]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerStore]:
    store = ServerStore(tmp_path / "server")
    yield store
    store.close()


@pytest.fixture
def reopen(server: ServerStore) -> Iterator[Reopen]:
    """Open a station's store again, as the program does at its next start."""
    made: list[Station] = []

    def again(station: Station) -> Station:
        made.append(Station(station.folder, server, "again", device_id=station.device_id))
        return made[-1]

    yield again
    for station in made:
        station.close()


@pytest.fixture
def station(server: ServerStore, tmp_path: Path) -> Iterator[Station]:
    """A station with one part that its server has, and its backup in ``backup``."""
    made = Station(tmp_path / "store", server, "one")
    with made.database.transaction() as session:
        set_value(session, DEVICE_ID, made.device_id)
    user, target, _ = prepared(server, made)
    made.inspect_part(target.id, user.id, image=b"pixels of before")
    made.sync()
    back_up_store(made.folder, tmp_path / "backup")
    yield made
    made.close()


def inspect(station: Station, image: bytes = b"") -> str:
    with station.database.read() as session:
        first = session.scalars(select(InspectionSession)).first()
    assert first is not None
    return station.inspect_part(first.target_id or "", first.user_id, image=image)


def code_of(work: Callable[[], object]) -> str:
    with pytest.raises(UserFacingError) as caught:
        work()
    return caught.value.code


def test_a_restored_store_holds_what_the_backup_held(station, reopen, tmp_path):
    before = contents(station.database, without=frozenset({"audit_entry"}))
    inspect(station)
    station.sync()
    station.close()
    restore_store(tmp_path / "backup", station.folder)
    assert contents(reopen(station).database, without=frozenset({"audit_entry"})) == before


def test_a_backup_holds_the_images(station, tmp_path):
    digest = station.blobs.put(b"pixels of before")
    assert (tmp_path / "backup" / "blobs" / digest[:2] / digest).read_bytes() == b"pixels of before"


def test_a_backup_of_a_store_at_work_is_whole(station, tmp_path):
    with station.database.transaction() as session:
        append_audit(session, device_id=station.device_id, actor="a", action="at.work")
        back_up_store(station.folder, tmp_path / "beside")
    restore_store(tmp_path / "beside", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / DATABASE).is_file()


def test_a_restored_station_takes_back_what_its_later_life_sent(server, station, reopen, tmp_path):
    later = inspect(station)
    station.sync()
    station.close()
    restore_store(tmp_path / "backup", station.folder)
    again = reopen(station)
    part = inspect(again)
    again.sync()
    with server.database.read() as session:
        assert {later, part} <= set(session.scalars(select(InspectionSession.id)))
    assert again.record(InspectionSession, later) is not None


def test_the_restore_is_in_the_audit_trail(server, station, reopen, tmp_path):
    station.close()
    restore_store(tmp_path / "backup", station.folder)
    again = reopen(station)
    again.sync()
    query = select(AuditEntry.detail).where(AuditEntry.action == "store.restored")
    with server.database.read() as session:
        details = session.scalars(query.where(AuditEntry.device_id == station.device_id)).all()
    assert [sorted(detail) for detail in details] == [["backup_of", "store_id"]]
    with again.database.read() as session:
        assert verify_audit(session) == []


def test_the_database_that_was_there_is_kept(station, tmp_path):
    part = inspect(station)
    station.sync()
    station.close()
    kept = restore_store(tmp_path / "backup", station.folder).kept_as
    kept.rename(tmp_path / "kept.sqlite3")
    from models.database import Database

    former = Database.at(tmp_path / "kept.sqlite3")
    with former.read() as session:
        assert session.get(InspectionSession, part) is not None
    former.close()


def test_a_restore_over_changes_that_were_not_sent_is_refused(station, tmp_path):
    inspect(station)
    station.close()
    assert code_of(lambda: restore_store(tmp_path / "backup", station.folder)) == "restore-unsent"


def test_changes_that_were_not_sent_stay_in_the_former_database(station, tmp_path):
    inspect(station)
    station.close()
    done = restore_store(tmp_path / "backup", station.folder, even_unsent=True)
    assert (done.unsent, done.kept_as.is_file()) == (3, True)


def test_images_of_after_the_backup_stay(station, tmp_path):
    inspect(station, b"pixels of after")
    station.sync()
    station.close()
    restore_store(tmp_path / "backup", station.folder)
    assert station.blobs.exists(station.blobs.put(b"pixels of after"))


def test_a_store_in_use_is_not_restored(station, tmp_path):
    lock = StoreLock(station.folder / LOCK)
    lock.acquire()
    assert code_of(lambda: restore_store(tmp_path / "backup", station.folder)) == "store-in-use"
    lock.release()


def test_a_backup_without_its_manifest_is_refused(tmp_path, station):
    (tmp_path / "backup" / MANIFEST).unlink()
    assert code_of(lambda: restore_store(tmp_path / "backup", tmp_path / "new")) == "backup-unreadable"


def test_a_backup_whose_database_was_changed_is_refused(tmp_path, station):
    with (tmp_path / "backup" / DATABASE).open("ab") as file:
        file.write(b"more")
    assert code_of(lambda: restore_store(tmp_path / "backup", tmp_path / "new")) == "backup-unreadable"


def test_the_backup_of_a_server_is_no_stations(tmp_path, station):
    path = tmp_path / "backup" / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "kind": "server"}))
    with pytest.raises(InvalidInput) as caught:
        restore_store(tmp_path / "backup", tmp_path / "new")
    assert caught.value.code == "backup-of-other-kind"


def test_a_backup_replaces_no_other(tmp_path, station):
    with pytest.raises(Conflict) as caught:
        back_up_store(station.folder, tmp_path / "backup")
    assert caught.value.code == "backup-folder-not-empty"


def test_a_folder_without_a_store_has_no_backup(tmp_path):
    with pytest.raises(NotFound):
        back_up_store(tmp_path / "nowhere", tmp_path / "out")


def test_a_store_put_back_by_other_means_goes_on_once_it_is_marked(server, station, reopen, tmp_path):
    copy = station.copy(tmp_path / "snapshot")
    copy.close()
    inspect(station)
    station.sync()
    mark_restored(copy.folder)
    again = reopen(copy)
    part = inspect(again)
    again.sync()
    assert server.record(InspectionSession, part) is not None


@pytest.fixture
def put_back(station, reopen, tmp_path) -> Callable[[], Station]:
    """Restore the station to before its image ``pixels of after``, which its server knows."""
    inspect(station, b"pixels of after")
    station.sync()
    station.close()
    restore_store(tmp_path / "backup", station.folder)
    return lambda: reopen(station)


def blob_of(station: Station, data: bytes) -> Blob:
    with station.database.read() as session:
        return session.get_one(Blob, sha256_of(data))


def test_an_image_of_the_later_life_is_known_again(put_back):
    again = put_back()
    again.sync()
    found = blob_of(again, b"pixels of after")
    assert (found.present, found.size_bytes, found.uploaded_at is None) == (True, 15, False)


def test_an_image_that_had_not_been_sent_goes_after_the_restore(server, put_back):
    server.objects.delete(sha256_of(b"pixels of after"))
    put_back().sync()
    assert server.objects.read(sha256_of(b"pixels of after")) == b"pixels of after"


def test_an_image_that_only_the_server_has_is_said_to_be_there(put_back):
    again = put_back()
    again.blobs.delete(sha256_of(b"pixels of after"))
    again.sync()
    found = blob_of(again, b"pixels of after")
    assert (found.present, found.uploaded_at is None) == (False, False)


def test_an_image_that_nobody_has_is_not_said_to_be_on_the_server(server, put_back):
    again = put_back()
    again.blobs.delete(sha256_of(b"pixels of after"))
    server.objects.delete(sha256_of(b"pixels of after"))
    again.sync()
    found = blob_of(again, b"pixels of after")
    assert (found.present, found.uploaded_at) == (False, None)


def test_images_are_noted_by_the_pass_after_one_that_was_cut(server, put_back, monkeypatch):
    again = put_back()
    again.blobs.delete(sha256_of(b"pixels of after"))
    monkeypatch.setattr(ReturnedImages, "note_all", _unreachable)
    assert code_of(again.sync) == "server-unreachable"
    monkeypatch.undo()
    again.sync()
    assert blob_of(again, b"pixels of after").uploaded_at is not None


def _unreachable(_images: ReturnedImages) -> None:
    raise Unavailable("server-unreachable", server="test:")
