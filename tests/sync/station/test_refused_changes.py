"""Changes that the server refuses, or cannot take yet, stop no others."""

from __future__ import annotations

from sqlalchemy import select

from models.audit import AuditEntry
from models.ids import new_id
from models.sessions import InspectionSession
from models.states import HumanVerdict, OutboxState, Role
from models.targets import Target
from models.users import User
from models.verification import HumanVerification
from sync.station.dead_letters import list_dead_letters
from sync.station.dropping import drop
from tests.support.sync_stores import prepared


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
