"""Edits of several stations meet on the server: fields merge, the newer value holds, and what lost is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import SessionStatus
from models.sync import AppliedChange, SyncConflict
from models.targets import Target
from sync.shared.protocol import Batch
from sync.station.apply import take_changes
from sync.station.conflicts import keep_theirs, list_conflicts
from sync.station.outbox import change_of
from tests.support.sync_stores import Wall, prepared


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
    with one.database.transaction() as session:
        take_changes(session, one.clock, answer.changes)
    record = one.record(Target, target.id)
    assert (record.name, record.description) == ("mine", "theirs")


def test_a_clock_days_ahead_does_not_win_over_a_later_edit(server, make_station):
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
    station = make_station("ahead", wall=Wall(server.wall.milliseconds + 86_400_000))
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id)
    assert station.sync().dead == 0
    with server.database.read() as session:
        assert session.scalars(select(AIResult)).one().extra["clock_ahead_ms"] > 80_000_000


def test_a_session_never_goes_back_when_its_changes_arrive_out_of_order(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    part = station.inspect_part(target.id)
    station.edit(InspectionSession, part, None, lot="L1", status=SessionStatus.HUMAN_REVIEW)
    station.edit(InspectionSession, part, None, lot="L2", serial_number="7")
    station.edit(InspectionSession, part, None, status=SessionStatus.COMPLETED)
    changes = [change_of(entry) for entry in station.outbox()]
    order = [0, 1, 2, 5, 4, 3]
    batch = Batch(device_id=station.device_id, batch_id=new_id(), schema_version=1, changes=[changes[i] for i in order])
    server.push(batch, station.device_id)
    station.sync()
    record = server.record(InspectionSession, part)
    assert (record.status, record.lot, record.serial_number) == (SessionStatus.COMPLETED, "L2", "7")
    with server.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AppliedChange)) == len(changes)


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
