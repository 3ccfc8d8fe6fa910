"""A pass of the engine against the server's own sync code on real stores."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.audit import AuditEntry, append_audit, verify_audit
from models.clock import utc_now
from models.errors import Unavailable
from models.sessions import ImageRecord, InspectionSession
from models.states import HumanVerdict
from models.sync import Blob, ChangeLogEntry
from models.targets import InspectionItem, Target
from models.verification import HumanVerification
from server.change_log.recording import prune
from sync.station.state import CURSOR, set_value
from tests.support.sync_stores import contents, prepared


def test_masters_come_to_a_station_with_the_first_pass(server, make_station):
    station = make_station()
    _, target, item = prepared(server, station)
    assert station.record(Target, target.id).name == "Plate"
    assert station.record(InspectionItem, item.id).target_id == target.id
    assert station.outbox() == []


def test_every_fact_of_a_part_reaches_the_server_byte_for_byte(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    part = station.inspect_part(target.id, user.id, image=b"pixels" * 1000)
    station.verify_part(part, HumanVerdict.NG, user.id)
    report = station.sync()
    assert (report.pushed, report.dead, report.blobs_sent) == (5, 0, 1)
    assert contents(server.database) == contents(station.database)
    with server.database.read() as session:
        assert session.get(InspectionSession, part).effective_verdict is HumanVerdict.NG
        image = session.scalars(select(ImageRecord)).one()
    assert server.objects.read(image.sha256) == b"pixels" * 1000
    assert station.outbox() == []


def test_a_blob_counts_as_uploaded_only_after_the_server_acknowledged_it(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id, image=b"one")
    with station.database.read() as session:
        assert session.scalars(select(Blob.uploaded_at)).one() is None
    station.sync()
    with station.database.read() as session:
        assert session.scalars(select(Blob.uploaded_at)).one() is not None


def test_a_lost_response_does_not_apply_a_change_twice(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    part = station.inspect_part(target.id)
    station.link.faults = ["cut"]
    with pytest.raises(Unavailable):
        station.sync()
    assert len(station.outbox()) == 3
    with server.database.read() as session:
        before = session.scalar(select(func.count()).select_from(ChangeLogEntry))
    station.sync()
    assert station.outbox() == []
    with server.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ChangeLogEntry)) == before
    assert station.record(InspectionSession, part).rev == server.record(InspectionSession, part).rev


def test_a_station_does_not_receive_the_parts_of_another(server, make_station):
    one, two = make_station("one"), make_station("two")
    _, target, _ = prepared(server, one, two)
    part = one.inspect_part(target.id)
    one.sync()
    two.sync()
    with two.database.transaction() as session:
        set_value(session, CURSOR, None)
    assert two.sync().full_resync
    assert two.record(InspectionSession, part) is None


def test_a_verification_made_on_the_server_comes_to_the_station_that_owns_the_part(server, make_station):
    one, two = make_station("one"), make_station("two")
    _, target, _ = prepared(server, one, two)
    part = one.inspect_part(target.id)
    one.sync()
    server.add(HumanVerification(device_id="server", session_id=part, verdict=HumanVerdict.NG))
    one.sync()
    two.sync()
    assert one.record(InspectionSession, part).effective_verdict is HumanVerdict.NG
    with two.database.read() as session:
        assert session.scalars(select(HumanVerification)).all() == []


def test_the_outbox_stays_when_an_old_cursor_leads_to_the_snapshot(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    server.add(Target(code="LATER", name="later"))
    with server.database.transaction() as session:
        assert prune(session, utc_now() + timedelta(days=91)) > 0
    two.edit(Target, target.id, user.id, name="waits")
    report = two.sync()
    assert report.full_resync
    assert report.pushed == 1
    assert server.record(Target, target.id).name == "waits"
    one.sync()
    assert contents(one.database) == contents(two.database)


@pytest.mark.slow
def test_a_snapshot_that_is_cut_goes_on_from_its_mark(server, make_station):
    server.add(*(Target(code=f"C{number}", name="n") for number in range(450)))
    station = make_station()
    real = station.link.snapshot
    seen: list[str | None] = []

    def cut_after(count):
        def lines(resume=None):
            seen.append(resume)
            for number, line in enumerate(real(resume)):
                if number == count:
                    raise Unavailable("server-unreachable", server="test:")
                yield line

        return lines

    station.link.snapshot = cut_after(250)
    with pytest.raises(Unavailable):
        station.sync()
    station.link.snapshot = cut_after(10_000)
    station.sync()
    assert seen[0] is None
    assert seen[1] is not None
    assert contents(server.database)["target"] == contents(station.database)["target"]


def test_an_audit_trail_of_a_station_holds_on_the_server_too(server, make_station):
    station = make_station()
    prepared(server, station)
    for number in range(3):
        with station.database.transaction() as session:
            append_audit(session, device_id=station.device_id, actor="a", action=f"do-{number}")
    station.sync()
    with server.database.read() as session:
        own = select(func.count()).select_from(AuditEntry).where(AuditEntry.device_id == station.device_id)
        assert session.scalar(own) == 3
        assert verify_audit(session) == []


def test_stations_follow_a_server_that_was_restored_from_a_backup(server, make_station, tmp_path):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    with server.database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = tmp_path / "backup.sqlite3"
    shutil.copy(tmp_path / "server" / "server.sqlite3", backup)
    for name in ("lost 1", "lost 2", "lost 3"):
        one.edit(Target, target.id, user.id, name=name)
        one.sync()
        two.sync()
    server.database.close()
    for name in ("server.sqlite3", "server.sqlite3-wal", "server.sqlite3-shm"):
        (tmp_path / "server" / name).unlink(missing_ok=True)
    shutil.copy(backup, tmp_path / "server" / "server.sqlite3")
    assert two.sync().full_resync
    assert two.record(Target, target.id).name == "lost 3"
    two.edit(Target, target.id, user.id, name="after")
    two.sync()
    one.sync()
    assert {place.record(Target, target.id).name for place in (one, two, server)} == {"after"}
