"""A refused change that is given up takes along what the server could never take without it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.audit import AuditEntry
from models.clock import rfc3339, utc_now
from models.errors import Conflict
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, OutboxState, SessionStatus
from models.sync import Blob, OutboxEntry
from models.targets import InspectionItem, Target
from models.verification import HumanVerification
from sync.station.comparing import begin_comparison
from sync.station.dead_letters import list_dead_letters
from sync.station.dropping import Consequences, consequences, drop
from sync.station.given_up import DROPPED
from sync.station.state import DRIFT_CHECKED_AT, set_value
from sync.station.status import stored_status
from tests.support.sync_stores import Station, prepared


@pytest.fixture
def refused(server, make_station) -> tuple[Station, str, str, str]:
    """A station with a refused target, an item of it and a part that was inspected; target, part and change id."""
    station = make_station()
    user, target, _ = prepared(server, station)
    mine = Target(code=f"{target.code}-2", name="Mine")
    station.add(user.id, mine, InspectionItem(target_id=mine.id, name="Surface"))
    server.add(Target(code=f"{target.code}-2", name="Theirs"))
    part = station.inspect_part(mine.id, user.id)
    assert station.sync().dead == 1
    with station.database.read() as session:
        return station, mine.id, part, list_dead_letters(session)[0].change_id


def give_up(station: Station, change_id: str, agreed: Consequences | None = None) -> Consequences:
    return drop(
        station.database, change_id, actor="quality", device_id=station.device_id, reason="a slip", agreed=agreed
    )


def test_what_would_go_is_told_before(refused):
    station, _, _, change_id = refused
    with station.database.read() as session:
        goes = consequences(session, change_id)
    assert goes == Consequences(4, {"ai_result": 1, "image": 1, "inspection_session": 1, "item": 1})


def test_nothing_waits_for_ever_behind_a_record_that_was_given_up(refused):
    station, _, _, change_id = refused
    give_up(station, change_id)
    report = station.sync()
    assert (report.retried, report.dead, station.outbox()) == (0, 0, [])


def test_each_change_that_goes_is_in_the_audit_trail(refused, server):
    station, target, part, change_id = refused
    before = {entry.entity_id: entry.fields for entry in station.outbox() if entry.entity != AuditEntry.entity}
    give_up(station, change_id)
    station.sync()
    with server.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == DROPPED)
        kept = {entry.subject_id: entry.detail for entry in session.scalars(query)}
    assert {record_id: detail["fields"] for record_id, detail in kept.items()} == before
    assert {detail.get("with") for detail in kept.values()} == {None, change_id}
    assert kept[part]["with"] == change_id
    assert "with" not in kept[target]


def test_a_part_that_goes_stays_in_the_store(refused):
    station, target, part, change_id = refused
    give_up(station, change_id)
    station.sync()
    assert station.record(Target, target).deleted_at is not None
    with station.database.read() as session:
        assert session.get_one(InspectionSession, part).status is SessionStatus.CANCELLED
        assert len(session.scalars(select(ImageRecord).where(ImageRecord.session_id == part)).all()) == 1
        assert len(session.scalars(select(AIResult).where(AIResult.session_id == part)).all()) == 1


def test_nothing_more_is_recorded_for_a_part_that_was_given_up(refused):
    station, _, part, change_id = refused
    give_up(station, change_id)
    with pytest.raises(Conflict) as caught:
        station.verify_part(part, HumanVerdict.OK)
    assert caught.value.code == "record-given-up"
    assert station.outbox()[-1].entity == AuditEntry.entity


def test_a_later_change_of_the_record_goes_too(refused, server):
    station, target, _, change_id = refused
    station.edit(Target, target, None, name="Another name")
    assert give_up(station, change_id).changes == 5
    assert station.sync().retried == 0


def test_a_refused_change_behind_it_goes_too(refused):
    station, _, _, change_id = refused
    with station.database.transaction() as session:
        of_image = session.scalars(select(OutboxEntry).where(OutboxEntry.entity == ImageRecord.entity)).one()
        of_image.state, of_image.last_error = OutboxState.DEAD, "sync-change-invalid"
    give_up(station, change_id)
    assert stored_status(station.database).dead == 0


def test_what_does_not_name_the_record_goes_on(refused, server):
    station, _, _, change_id = refused
    with station.database.read() as session:
        other = session.scalars(select(Target.id).where(Target.rev.is_not(None))).first()
    part = station.inspect_part(other)
    give_up(station, change_id)
    station.sync()
    assert server.record(InspectionSession, part) is not None


def test_an_edit_that_named_the_record_goes_without_its_own(server, make_station):
    station = make_station()
    user, target, item = prepared(server, station)
    other = Target(code="OTHER", name="Other")
    station.add(user.id, other)
    server.add(Target(code="OTHER", name="Theirs"))
    station.edit(InspectionItem, item.id, user.id, target_id=other.id)
    assert station.sync().dead == 1
    with station.database.read() as session:
        change_id = list_dead_letters(session)[0].change_id
    assert give_up(station, change_id) == Consequences(1, {})
    station.sync()
    here = station.record(InspectionItem, item.id)
    assert (here.target_id, here.deleted_at) == (target.id, None)


def test_more_than_was_shown_is_not_given_up(refused):
    station, target, _, change_id = refused
    with station.database.read() as session:
        shown = consequences(session, change_id)
    station.add(None, InspectionItem(target_id=target, name="Back"))
    with pytest.raises(Conflict) as caught:
        give_up(station, change_id, shown)
    assert caught.value.code == "dead-letter-more-waits"
    assert stored_status(station.database).dead == 1


def test_an_edit_that_is_given_up_takes_nothing_along(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.edit(Target, target.id, None, name="By nobody")
    assert station.sync().dead == 1
    station.edit(Target, target.id, None, description="Behind it")
    with station.database.read() as session:
        change_id = list_dead_letters(session)[0].change_id
    assert give_up(station, change_id) == Consequences(0, {})


def test_the_drift_check_brings_nothing_back(refused, server):
    station, _, part, change_id = refused
    give_up(station, change_id)
    station.sync()
    checked_long_ago(station)
    report = station.sync()
    assert (report.sent_again, stored_status(station.database).store.drift) == (0, None)
    assert server.record(InspectionSession, part) is None


def test_a_comparison_brings_nothing_back(refused, server):
    station, _, part, change_id = refused
    give_up(station, change_id)
    station.sync()
    with station.database.transaction() as session:
        begin_comparison(session)
    assert (station.sync().sent_again, server.record(InspectionSession, part)) == (0, None)


def test_a_file_that_the_server_removed_with_it_is_no_difference(refused, server):
    station, _, part, change_id = refused
    give_up(station, change_id)
    station.sync()
    with station.database.read() as session:
        sha256 = session.scalars(select(ImageRecord.sha256).where(ImageRecord.session_id == part)).one()
    # A server removes an image that no record has named for long.
    server.objects.delete(sha256)
    checked_long_ago(station)
    assert (station.sync().files_again, stored_status(station.database).store.drift) == (0, None)
    with station.database.read() as session:
        assert session.get_one(Blob, sha256).present


def test_a_verification_behind_a_refused_part_goes_too(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    part = station.inspect_part(target.id, user.id)
    station.verify_part(part, HumanVerdict.OK, user.id)
    with station.database.transaction() as session:
        of_part = (OutboxEntry.entity_id == part, OutboxEntry.op == "insert")
        session.execute(update(OutboxEntry).where(*of_part).values(state=OutboxState.DEAD, last_error="sync-other"))
        change_id = session.scalars(select(OutboxEntry.change_id).where(*of_part)).one()
    goes = give_up(station, change_id)
    assert goes == Consequences(4, {"ai_result": 1, "human_verification": 1, "image": 1})
    station.sync()
    with server.database.read() as session:
        assert session.scalars(select(HumanVerification)).all() == []
    assert station.record(InspectionSession, part).status is SessionStatus.COMPLETED


def checked_long_ago(station: Station) -> None:
    with station.database.transaction() as session:
        set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now() - timedelta(days=2)))
