"""A pass of the engine against the server's own sync code on real stores."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from models.audit import AuditEntry, append_audit
from models.errors import Unavailable
from models.ids import new_id
from models.names import set_apart
from models.pipelines import Pipeline
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, OutboxState, Role, SessionStatus
from models.sync import AppliedChange, Blob, ChangeLogEntry, SyncConflict
from models.targets import InspectionItem, Target
from models.users import User
from models.verification import HumanVerification
from sync.station.conflicts import keep_theirs, list_conflicts
from sync.station.dead_letters import list_dead_letters
from sync.station.dropping import drop
from sync.station.resending import resend
from sync.station.state import CURSOR, set_value
from tests.support.sync_stores import contents, model_file, prepared


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


def test_edits_of_different_fields_on_two_stations_both_survive(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    one.edit(Target, target.id, user.id, name="Plate A")
    two.edit(Target, target.id, user.id, description="turned")
    for station in (one, two, one):
        assert station.sync().dead == 0
    for place in (one, two, server):
        record = place.record(Target, target.id)
        assert (record.name, record.description) == ("Plate A", "turned")
    with server.database.read() as session:
        assert session.scalars(select(SyncConflict)).all() == []


@pytest.mark.parametrize("first", [0, 1])
def test_the_newer_edit_of_one_field_wins_whoever_syncs_first(server, make_station, first):
    stations = [make_station("one"), make_station("two")]
    user, target, _ = prepared(server, *stations)
    stations[0].edit(Target, target.id, user.id, name="older")
    stations[1].clock.observe(stations[0].clock.now())
    stations[1].edit(Target, target.id, user.id, name="newer")
    for index in (first, 1 - first, first, 1 - first):
        stations[index].sync()
    assert {place.record(Target, target.id).name for place in (*stations, server)} == {"newer"}
    with stations[0].database.read() as session:
        conflict = session.scalars(select(SyncConflict)).one()
    assert (conflict.field, conflict.kept_value, conflict.lost_value) == ("name", "newer", "older")
    with stations[1].database.read() as session:
        assert session.scalars(select(SyncConflict)).all() == []
    station = stations[0]
    identifiers = [conflict.id for conflict in conflicts_of(station)]
    keep_theirs(station.database, identifiers, actor="q", device_id=station.device_id)
    assert stations[0].engine.status().conflicts == 0


def test_edits_of_two_stations_under_one_borrowed_clock_name_are_a_conflict(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    one.clock.device = two.clock.device = "not-enrolled"
    one.edit(Target, target.id, user.id, name="older")
    two.clock.observe(one.clock.now())
    two.edit(Target, target.id, user.id, name="newer")
    for station in (one, two, one):
        station.sync()
    with server.database.read() as session:
        lost = session.scalars(select(SyncConflict)).one()
    assert (lost.lost_value, lost.device_id) == ("older", one.device_id)
    assert [conflict.mine.text for conflict in conflicts_of(one)] == ["older"]


def conflicts_of(station):
    with station.database.read() as session:
        return list_conflicts(session)


def test_two_offline_edits_of_one_station_are_no_conflict_with_each_other(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.edit(Target, target.id, user.id, name="first")
    station.edit(Target, target.id, user.id, name="second")
    station.sync()
    assert server.record(Target, target.id).name == "second"
    with server.database.read() as session:
        assert session.scalars(select(SyncConflict)).all() == []


def test_a_pulled_change_never_overwrites_a_field_that_waits(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    two.edit(Target, target.id, user.id, name="theirs", description="theirs")
    two.sync()
    one.edit(Target, target.id, user.id, name="mine")
    answer = one.link.pull(None, 500)
    from sync.station.apply import take_changes

    with one.database.transaction() as session:
        take_changes(session, one.clock, answer.changes)
    record = one.record(Target, target.id)
    assert (record.name, record.description) == ("mine", "theirs")


def test_a_clock_days_ahead_does_not_win_over_a_later_edit(server, make_station):
    from tests.support.sync_stores import Wall

    ahead = make_station("ahead", wall=Wall(server.wall.milliseconds + 3 * 86_400_000))
    right = make_station("right", wall=server.wall)
    user, target, _ = prepared(server, ahead, right)
    ahead.edit(Target, target.id, user.id, name="from the future")
    ahead.sync()
    right.edit(Target, target.id, user.id, name="later in truth")
    right.sync()
    ahead.sync()
    assert {place.record(Target, target.id).name for place in (ahead, right, server)} == {"later in truth"}
    server_clock = server.clock.now()
    assert server_clock.milliseconds - server.wall.milliseconds < 1000, "the server's clock was not carried away"


def test_a_fact_with_a_clock_far_ahead_is_kept_with_a_flag(server, make_station):
    from tests.support.sync_stores import Wall

    station = make_station("ahead", wall=Wall(server.wall.milliseconds + 86_400_000))
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id)
    assert station.sync().dead == 0
    with server.database.read() as session:
        assert session.scalars(select(AIResult)).one().extra["clock_ahead_ms"] > 80_000_000


def test_a_refused_change_stops_no_other_record(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    inspector = User(username="inspector", role=Role.INSPECTOR)
    server.add(inspector)
    station.sync()
    station.edit(Target, target.id, inspector.id, name="not allowed")
    station.edit(Target, target.id, user.id, description="behind it")
    part = station.inspect_part(target.id)
    report = station.sync()
    assert (report.dead, report.pushed) == (1, 3)
    assert server.record(InspectionSession, part) is not None
    status = station.engine.status()
    assert (status.waiting, status.blocked, status.dead) == (0, 1, 1)
    with station.database.read() as session:
        letter = list_dead_letters(session)[0]
    assert (letter.code, letter.held_back) == ("sync-user-may-not", 1)
    station.sync()
    assert station.engine.status().blocked == 1
    assert server.record(Target, target.id).name == "Plate"


def test_a_user_who_never_signed_in_at_a_station_cannot_be_named_by_it(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    administrator = User(username="administrator", role=Role.ADMIN)
    server.add(administrator)
    station.sync()
    station.edit(Target, target.id, administrator.id, name="in another's name")
    assert station.sync().dead == 1
    with station.database.read() as session:
        assert list_dead_letters(session)[0].code == "sync-user-not-here"


def test_two_stations_that_make_the_same_code_can_resolve_the_refusal(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, _ = prepared(server, one, two)
    first, second = Target(code="SAME", name="first"), Target(code="SAME", name="second")
    one.add(user.id, first)
    two.add(user.id, second)
    assert one.sync().dead == 0
    assert two.sync().dead == 1
    with two.database.read() as session:
        letter = list_dead_letters(session)[0]
    assert letter.code == "sync-not-unique"
    assert two.record(Target, first.id).code == "SAME"
    assert two.record(Target, second.id).code != "SAME", "the server's record has the code here too"
    resend(two.database, letter.change_id, {"code": "OTHER"}, actor="q", device_id=two.device_id)
    assert two.sync().dead == 0
    one.sync()
    assert {place.record(Target, second.id).code for place in (one, two, server)} == {"OTHER"}


def test_the_record_of_a_dropped_dead_letter_returns_to_the_servers_values(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.edit(Target, target.id, None, name="unasked for")
    station.sync()
    with station.database.read() as session:
        letter = list_dead_letters(session)[0]
    drop(station.database, letter.change_id, actor="q", device_id=station.device_id, reason="a slip")
    station.sync()
    assert station.record(Target, target.id).name == "Plate"
    with station.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert entry.detail["fields"]["name"] == "unasked for"
    assert server.record(AuditEntry, entry.id) is not None


def test_a_child_whose_parent_is_missing_is_tried_again(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    part = station.inspect_part(target.id)
    with station.database.transaction() as session:
        first = station.outbox()[0]
        held = session.get(type(first), first.sequence)
        held.state = OutboxState.DEAD
    report = station.sync()
    assert (report.pushed, report.dead, report.retried) == (0, 0, 2)
    with station.database.transaction() as session:
        session.get(type(first), first.sequence).state = OutboxState.WAITING
    assert station.sync().pushed == 3
    assert server.record(InspectionSession, part) is not None


def test_a_change_that_claims_another_device_is_refused(server, make_station):
    one, two = make_station("one"), make_station("two")
    _, target, _ = prepared(server, one, two)
    part = one.inspect_part(target.id)
    one.sync()
    forged = HumanVerification(device_id=one.device_id, session_id=part, verdict=HumanVerdict.OK)
    foreign = InspectionSession(device_id=one.device_id, target_id=target.id, id=new_id())
    two.add(None, foreign)
    two.add(None, HumanVerification(device_id=two.device_id, session_id=foreign.id, verdict=HumanVerdict.OK))
    report = two.sync()
    assert (report.dead, report.pushed) == (1, 0)
    assert server.record(InspectionSession, foreign.id) is None
    assert server.record(HumanVerification, forged.id) is None
    with server.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.refused")).one()
    assert entry.actor == f"device:{two.device_id}"[:64]
    assert entry.subject_id == foreign.id


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


def test_a_session_never_goes_back_when_its_changes_arrive_out_of_order(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    part = station.inspect_part(target.id)
    station.edit(InspectionSession, part, None, lot="L1", status=SessionStatus.HUMAN_REVIEW)
    station.edit(InspectionSession, part, None, lot="L2", serial_number="7")
    station.edit(InspectionSession, part, None, status=SessionStatus.COMPLETED)
    from sync.station.outbox import change_of

    changes = [change_of(entry) for entry in station.outbox()]
    from sync.shared.protocol import Batch

    order = [0, 1, 2, 5, 4, 3]
    batch = Batch(device_id=station.device_id, batch_id=new_id(), schema_version=1, changes=[changes[i] for i in order])
    server.push(batch, station.device_id)
    station.sync()
    record = server.record(InspectionSession, part)
    assert (record.status, record.lot, record.serial_number) == (SessionStatus.COMPLETED, "L2", "7")
    with server.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AppliedChange)) == len(changes)


def test_a_master_deleted_by_a_mark_frees_its_code(server, make_station):
    from models.clock import utc_now

    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    one.edit(Target, target.id, user.id, deleted_at=utc_now())
    one.add(user.id, Target(code=target.code, name="successor"))
    assert one.sync().dead == 0
    two.sync()
    assert two.record(Target, target.id).deleted_at is not None
    assert contents(two.database) == contents(one.database)


def test_fields_of_a_newer_schema_survive_the_round_trip(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, _ = prepared(server, one, two)
    new = Target(code="NEW", name="n", extra={"torque_nm": 12.5})
    one.add(user.id, new)
    one.sync()
    two.sync()
    two.edit(Target, new.id, user.id, name="renamed")
    two.sync()
    one.sync()
    for place in (one, two, server):
        record = place.record(Target, new.id)
        assert (record.name, record.extra) == ("renamed", {"torque_nm": 12.5})


def test_only_a_model_that_an_item_uses_is_fetched(server, make_station):
    station = make_station()
    _, _, item = prepared(server, station)
    used, unused = model_file(b"bundle"), model_file(b"other")
    server.add(used, unused)
    for data, model in ((b"bundle", used), (b"other", unused)):
        server.objects.put(model.sha256, data)
    station.sync()
    assert not station.blobs.exists(used.sha256)
    with server.database.transaction() as session:
        session.get(InspectionItem, item.id).pipeline_parameters = {"score": {"model": used.id}}
    assert station.sync().blobs_fetched == 1
    assert station.blobs.read(used.sha256) == b"bundle"
    assert not station.blobs.exists(unused.sha256)


def test_files_that_a_pipeline_or_any_parameter_names_are_fetched(server, make_station):
    station = make_station()
    _, _, item = prepared(server, station)
    named, reference = model_file(b"named by the pipeline"), model_file(b"named as a reference")
    step = {"id": "a", "component": "anomaly", "parameters": {"model": named.id}, "inputs": {"image": "input"}}
    pipeline = Pipeline(name="P", definition={"name": "P", "steps": [step]})
    server.add(named, reference, pipeline)
    for data, model in ((b"named by the pipeline", named), (b"named as a reference", reference)):
        server.objects.put(model.sha256, data)
    with server.database.transaction() as session:
        used = session.get_one(InspectionItem, item.id)
        used.pipeline_id, used.pipeline_parameters = pipeline.id, {"align": {"reference": reference.id}}
    assert station.sync().blobs_fetched == 2
    assert station.blobs.exists(named.sha256)
    assert station.blobs.exists(reference.sha256)


def test_the_outbox_stays_when_an_old_cursor_leads_to_the_snapshot(server, make_station):
    from datetime import timedelta

    from models.clock import utc_now
    from server.change_log.recording import prune

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
    from models.audit import verify_audit

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
    import shutil

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


def test_codes_that_differ_in_case_alone_come_to_a_station_as_the_server_has_them(server, make_station):
    station = make_station()
    prepared(server, station)
    older, newer = Target(code="P-1", name="older"), Target(code="p-1", name="newer")
    newer.name_key = set_apart("p-1", newer.id)
    server.add(newer)
    station.sync()
    server.add(older)
    station.sync()
    assert [station.record(Target, one.id).code for one in (older, newer)] == ["P-1", "p-1"]
    assert [station.record(Target, one.id).name_key for one in (older, newer)] == ["p-1", f"p-1~{newer.id}"]


def test_a_code_of_full_width_comes_back_to_its_station_in_the_servers_form(server, make_station):
    station = make_station()
    user, _, _ = prepared(server, station)
    made = Target(code="Ｐ-１", name="wide")
    station.add(user.id, made)
    assert station.sync().dead == 0
    station.sync()
    assert {place.record(Target, made.id).code for place in (station, server)} == {"P-1"}


def test_a_code_that_another_station_has_in_another_case_is_refused(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, _ = prepared(server, one, two)
    one.add(user.id, Target(code="SAME", name="first"))
    two.add(user.id, Target(code="same", name="second"))
    assert (one.sync().dead, two.sync().dead) == (0, 1)
    with two.database.read() as session:
        assert list_dead_letters(session)[0].code == "code-taken"
