"""Retention deletes old images from a station, and never what the server has not acknowledged."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.audit import AuditEntry
from models.clock import utc_now
from models.pipelines import ModelFile
from models.sessions import ImageRecord, InspectionSession
from models.states import HumanVerdict, OutboxState, SessionStatus, Verdict
from models.sync import Blob, OutboxEntry
from sync.station.retention import Retention, RetentionReport, RetentionRule
from tests.support.sync_stores import Station, model_file, prepared


def apply(station: Station, *, days: int = 30, keep_ng: bool = False, later: int = 31, dry_run: bool = False):
    """Apply retention as it would be in ``later`` days."""
    rule = RetentionRule(days, keep_ng)
    now = utc_now() + timedelta(days=later)
    return Retention(station.database, station.blobs, station.device_id, rule, now=lambda: now).apply(dry_run=dry_run)


def old_part(station: Station, target_id: str, image: bytes, verdict: HumanVerdict = HumanVerdict.OK) -> str:
    part = station.inspect_part(target_id, image=image, verdict=Verdict.OK)
    station.verify_part(part, verdict)
    return part


@pytest.fixture
def station(server, make_station):
    return make_station()


@pytest.fixture
def target_id(server, station):
    return prepared(server, station)[1].id


def digests(station: Station) -> set[str]:
    return set(station.blobs.digests())


def test_an_acknowledged_image_is_deleted_after_its_time(server, station, target_id):
    part = old_part(station, target_id, b"old" * 100)
    station.sync()
    report = apply(station)
    assert (report.files, report.bytes, report.kept) == (1, 300, {})
    assert digests(station) == set()
    with station.database.read() as session:
        assert not session.scalars(select(Blob.present)).one()
        image = session.scalars(select(ImageRecord).where(ImageRecord.session_id == part)).one()
    assert server.objects.read(image.sha256) == b"old" * 100


@pytest.mark.parametrize("later", [0, 29])
def test_a_younger_image_stays(station, target_id, later):
    old_part(station, target_id, b"young")
    station.sync()
    assert apply(station, later=later).files == 0
    assert len(digests(station)) == 1


def test_an_image_the_server_has_not_acknowledged_is_never_deleted(station, target_id):
    old_part(station, target_id, b"only here")
    report = apply(station, later=10_000)
    assert (report.files, report.kept) == (0, {"not_acknowledged": 1})
    assert len(digests(station)) == 1


def test_an_image_stays_while_something_of_its_part_waits(station, target_id):
    part = old_part(station, target_id, b"corrected")
    station.sync()
    station.verify_part(part, HumanVerdict.NG)
    assert apply(station).kept == {"records_wait": 1}
    station.sync()
    assert apply(station).files == 1


def test_an_image_of_a_refused_record_stays(station, target_id):
    old_part(station, target_id, b"disputed")
    with station.database.transaction() as session:
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.entity == "image")):
            entry.state = OutboxState.DEAD
        session.execute(update(Blob).values(uploaded_at=utc_now()))
    assert apply(station).kept == {"records_wait": 1}


def test_an_image_of_a_part_without_a_decision_stays(station, target_id):
    station.inspect_part(target_id, image=b"undecided")
    station.sync()
    assert apply(station).kept == {"open": 1}


def test_an_image_of_a_part_on_hold_stays(station, target_id):
    old_part(station, target_id, b"held", HumanVerdict.HOLD)
    station.sync()
    assert apply(station).kept == {"on_hold": 1}


@pytest.mark.parametrize(("keep_ng", "files"), [(False, 1), (True, 0)])
def test_images_of_ng_parts_stay_by_setting(station, target_id, keep_ng, files):
    old_part(station, target_id, b"bad", HumanVerdict.NG)
    station.sync()
    report = apply(station, keep_ng=keep_ng)
    assert report.files == files
    assert report.kept == ({"ng": 1} if keep_ng else {})


def test_an_image_that_is_a_reference_of_a_step_stays(server, station, target_id):
    old_part(station, target_id, b"reference")
    server.add(model_file(b"reference"))
    station.sync()
    assert apply(station).kept == {"in_use": 1}


def test_bytes_that_a_younger_part_shares_stay(station, target_id):
    first = old_part(station, target_id, b"same")
    old_part(station, target_id, b"same")
    with station.database.transaction() as session:
        image = session.scalars(select(ImageRecord).where(ImageRecord.session_id == first)).one()
        image.captured_at = utc_now() - timedelta(days=60)
    station.sync()
    assert apply(station, later=0).files == 0
    assert len(digests(station)) == 1


def test_a_dry_run_counts_without_deleting(station, target_id):
    old_part(station, target_id, b"a" * 10)
    old_part(station, target_id, b"b" * 20)
    station.sync()
    report = apply(station, dry_run=True)
    assert (report.files, report.bytes) == (2, 30)
    assert len(digests(station)) == 2
    assert station.outbox() == []


def test_what_was_deleted_is_in_the_audit_trail(station, target_id):
    old_part(station, target_id, b"c" * 10)
    station.sync()
    apply(station)
    with station.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "retention.applied")).one()
    assert entry.detail == {"files": 1, "bytes": 10, "days": 30}


def test_files_whose_deletion_a_power_cut_stopped_are_deleted_later(station, target_id, monkeypatch):
    old_part(station, target_id, b"half-way")
    station.sync()

    def power_cut(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(station.blobs, "delete", power_cut)
        with pytest.raises(KeyboardInterrupt):
            apply(station)
    assert len(digests(station)) == 1
    assert apply(station).files == 0
    assert digests(station) == set()


def test_bytes_captured_again_before_their_file_is_deleted_stay(station, target_id, monkeypatch):
    old_part(station, target_id, b"again")
    station.sync()
    delete = Retention._finish

    def captured_meanwhile(retention: Retention) -> None:
        station.inspect_part(target_id, image=b"again")
        delete(retention)

    monkeypatch.setattr(Retention, "_finish", captured_meanwhile)
    apply(station)
    assert len(digests(station)) == 1


def test_a_part_corrected_just_before_the_deletion_keeps_its_image(station, target_id, monkeypatch):
    part = old_part(station, target_id, b"corrected meanwhile")
    station.sync()
    look = Retention._page

    def corrected_meanwhile(retention: Retention, before: datetime, after: str) -> list[str]:
        found = look(retention, before, after)
        if found:
            station.verify_part(part, HumanVerdict.NG)
        return found

    monkeypatch.setattr(Retention, "_page", corrected_meanwhile)
    assert apply(station).files == 0
    assert len(digests(station)) == 1


def test_every_page_of_old_images_is_deleted(station, target_id, monkeypatch):
    monkeypatch.setattr("sync.station.retention._PAGE", 2)
    for number in range(5):
        old_part(station, target_id, b"%d" % number)
    station.sync()
    assert apply(station).files == 5
    assert digests(station) == set()


def test_a_part_is_still_whole_for_the_server_after_retention(server, station, target_id):
    part = old_part(station, target_id, b"kept there")
    station.sync()
    apply(station)
    report = station.sync()
    assert (report.problems, report.blobs_sent) == ((), 0)
    assert server.record(InspectionSession, part).status is SessionStatus.COMPLETED


def test_a_model_file_is_no_image(station, server, target_id):
    data = b"weights"
    station.blobs.put(data)
    with station.database.transaction() as session:
        session.add(model_file(data))
        session.add(
            Blob(sha256=station.blobs.put(data), size_bytes=7, content_type="x", present=True, uploaded_at=utc_now())
        )
    assert apply(station).files == 0
    with station.database.read() as session:
        assert session.scalars(select(ModelFile)).one()


@pytest.mark.parametrize(("hours", "due"), [(1, False), (23, False), (25, True), (-48, True)])
def test_it_is_due_once_a_day(station, target_id, hours, due):
    apply(station, later=0)
    now = utc_now() + timedelta(hours=hours)
    again = Retention(station.database, station.blobs, station.device_id, RetentionRule(30), now=lambda: now)
    assert again.is_due() is due


def test_a_report_reads_as_json():
    report = RetentionReport(utc_now(), files=2, bytes=5, kept={"open": 1}, dry_run=True)
    assert report.as_json() | {"before": ""} == {
        "before": "",
        "files": 2,
        "bytes": 5,
        "kept": {"open": 1},
        "dry_run": True,
    }
