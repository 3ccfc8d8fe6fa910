"""A server that was restored from an older backup gets again what it had acknowledged since."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.audit import AuditEntry
from models.errors import Unavailable
from models.sessions import ImageRecord, InspectionSession
from models.states import HumanVerdict, SessionStatus
from models.storage import sha256_of
from models.sync import Blob, ChangeLogEntry
from models.targets import Target
from server.change_log.generation import generation, next_generation
from sync.station.comparing import begin_comparison
from sync.station.state import ACKNOWLEDGED, CURSOR, get_value, set_value
from sync.station.status import stored_status
from tests.support.server_backup import Backup
from tests.support.sync_stores import ServerStore, Station, contents, masters, prepared

pytestmark = pytest.mark.slow

STAYS_ON_ITS_SIDE = frozenset({"audit_entry"})


def same(server: ServerStore, station: Station) -> bool:
    return contents(server.database, without=STAYS_ON_ITS_SIDE) == contents(station.database, without=STAYS_ON_ITS_SIDE)


def parts_of(server: ServerStore) -> int:
    with server.database.read() as session:
        return session.scalar(select(func.count()).select_from(InspectionSession)) or 0


@pytest.fixture
def went_back(server: ServerStore, make_station: Callable[[], Station], tmp_path: Path) -> tuple[Station, Target, str]:
    """A station whose server was restored to before five parts that it had acknowledged, the first one verified."""
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id)
    station.sync()
    backup = Backup(server, tmp_path / "backup")
    parts = [station.inspect_part(target.id, user.id, image=f"pixels {number}".encode()) for number in range(5)]
    station.verify_part(parts[0], HumanVerdict.NG, user.id)
    station.sync()
    assert parts_of(server) == 6
    backup.restore()
    assert parts_of(server) == 1
    return station, target, parts[0]


def test_a_restored_server_gets_again_what_it_had_acknowledged(server, went_back):
    station, _, _ = went_back
    report = station.sync()
    assert (report.full_resync, report.sent_again) == (True, 16)
    assert same(server, station)


def test_a_restored_server_gets_the_lost_images_again(server, went_back):
    station, _, _ = went_back
    report = station.sync()
    with station.database.read() as session:
        digests = session.scalars(select(ImageRecord.sha256)).all()
    assert (report.blobs_sent, [server.objects.exists(sha256) for sha256 in digests]) == (5, [True] * 6)


def test_the_verdict_of_a_part_sent_again_is_the_persons(server, went_back):
    station, _, part = went_back
    station.sync()
    found = server.record(InspectionSession, part)
    assert (found.status, found.effective_verdict) == (SessionStatus.COMPLETED, HumanVerdict.NG)


def test_a_second_pass_after_a_restore_sends_nothing_again(server, went_back):
    station, _, _ = went_back
    station.sync()
    report = station.sync()
    assert (report.pushed, report.sent_again, report.blobs_sent, report.full_resync) == (0, 0, 0, False)


def test_a_person_sees_what_was_sent_again(server, went_back):
    station, _, _ = went_back
    station.sync()
    seen = stored_status(station.database).sent_again
    assert (seen.records, seen.blobs) == (16, 5)


def test_what_was_sent_again_is_in_the_audit_trail(server, went_back):
    station, _, _ = went_back
    station.sync()
    with station.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.server_went_back")).one()
    assert entry.detail == {"records": 16, "blobs": 5}


def test_a_restored_server_that_went_on_is_noticed_by_the_change_at_the_cursor(server, went_back):
    station, _, _ = went_back
    for _ in range(40):  # positions beyond those the station has seen
        server.add(*masters())
    report = station.sync()
    assert report.full_resync
    assert same(server, station)


def test_a_station_cut_before_its_pull_notices_the_restore(server, make_station, tmp_path):
    station = make_station()
    user, target, _ = prepared(server, station)
    backup = Backup(server, tmp_path / "backup")
    station.inspect_part(target.id, user.id)
    station.link.faults[:] = ["", "lost"]  # the push is acknowledged, the pull does not come through
    with pytest.raises(Unavailable):
        station.sync()
    assert (station.outbox(), parts_of(server)) == ([], 1)
    backup.restore()
    station.sync()
    assert same(server, station)


def test_a_part_verified_after_the_restore_comes_again(server, make_station, tmp_path):
    station = make_station()
    user, target, _ = prepared(server, station)
    backup = Backup(server, tmp_path / "backup")
    part = station.inspect_part(target.id, user.id)
    station.sync()
    backup.restore()
    station.verify_part(part, HumanVerdict.OK, user.id)  # waits before what the comparison sends again
    for _ in range(2):
        station.sync()
    assert station.outbox() == []
    assert same(server, station)


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_a_comparison_that_is_cut_goes_on_where_it_was(server, went_back, fault):
    station, _, _ = went_back
    for steps in range(1, 12):
        station.link.faults[:] = [""] * steps + [fault]
        with suppress(Unavailable):
            station.sync()
    station.link.faults.clear()
    station.sync()
    assert same(server, station)
    assert stored_status(station.database).sent_again.records == 16


def test_a_record_sent_again_has_one_effect(server, went_back):
    station, _, _ = went_back
    station.link.faults[:] = ["twice"] * 9  # what is compared and pushed; a chunk delivered twice is another matter
    with suppress(Unavailable):
        station.sync()
    station.link.faults.clear()
    station.sync()
    facts = ChangeLogEntry.entity.in_(["image", "ai_result", "human_verification", "inspection_session"])
    with server.database.read() as session:
        effects = session.execute(select(func.count()).where(facts).group_by(ChangeLogEntry.entity_id)).scalars()
        assert set(effects) == {1}
    assert same(server, station)


def test_images_that_an_object_store_lost_are_sent_again(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id, image=b"pixels")
    station.sync()
    with station.database.read() as session:
        sha256 = session.scalars(select(Blob.sha256)).one()
    server.objects.delete(sha256)
    with station.database.transaction() as session:
        begin_comparison(session)
    station.sync()
    assert server.objects.read(sha256) == b"pixels"


def test_a_pass_tells_of_the_images_that_an_object_store_lost(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id, image=b"pixels")
    station.sync()
    server.objects.delete(sha256_of(b"pixels"))
    with station.database.transaction() as session:
        begin_comparison(session)
    assert station.sync().files_again == 1


def test_a_server_that_stayed_is_not_compared_with(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id)
    station.sync()
    report = station.sync()
    with station.database.read() as session:
        assert get_value(session, CURSOR)
    assert (report.full_resync, report.sent_again) == (False, 0)


def test_a_new_generation_is_compared_with_although_the_cursor_fits(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id, image=b"pixels")
    station.sync()
    with station.database.read() as session:
        sha256 = session.scalars(select(Blob.sha256)).one()
    server.objects.delete(sha256)
    with server.database.local_transaction() as session:
        next_generation(session)
    station.sync()
    assert server.objects.read(sha256) == b"pixels"


def test_a_plain_copy_is_noticed_by_the_lease_of_a_station(server, make_station, tmp_path):
    station = make_station()
    user, target, _ = prepared(server, station)
    backup = Backup(server, tmp_path / "backup")
    with server.database.read() as session:
        before = generation(session)
    station.inspect_part(target.id, user.id)
    station.sync()
    with station.database.transaction() as session:
        set_value(session, ACKNOWLEDGED, None)
        set_value(session, CURSOR, None)  # nothing but the lease tells of the restore
    backup.restore()
    assert station.sync().sent_again == 3
    with server.database.read() as session:
        assert generation(session) == before
