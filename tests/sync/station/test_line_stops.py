"""A stop of the line on its way: from the alert on the server to the station that it concerns, and back."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from models.alerts import LineStop
from models.audit import AuditEntry
from models.clock import rfc3339, utc_now
from models.errors import Unavailable
from models.ids import new_id
from models.sessions import InspectionSession
from models.states import Severity
from models.tracking import remote_changes
from server.alerts.raising import AlertReason, Recipients, raise_alert
from sync.station.foreign_masters import remove_foreign
from sync.station.new_device import become_device
from sync.station.state import DRIFT_CHECKED_AT, get_value, set_value
from sync.station.status import stored_status
from tests.support.sync_stores import Station, prepared

DETAILS = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}


def stop(server, *stations):
    """Raise an alert that stops these stations, or all."""
    reason = AlertReason("quality", Severity.CRITICAL, "alert-ng-rate", new_id(), details=DETAILS)
    with server.database.transaction() as session:
        raise_alert(session, reason, Recipients(line_stop=True, stations=stations or None))


def held(station):
    with station.database.read() as session:
        return [one.code for one in session.scalars(select(LineStop)) if one.released_at is None]


def compared(station):
    """What the daily comparison of a station finds."""
    with station.database.transaction() as session:
        set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now() - timedelta(days=2)))
    station.sync()
    with station.database.read() as session:
        assert get_value(session, DRIFT_CHECKED_AT) > rfc3339(utc_now() - timedelta(days=1)), "it was compared"
    return stored_status(station.database).store.drift


def test_a_stop_reaches_the_station_that_it_concerns(server, make_station):
    concerned, other = make_station(), make_station("other")
    other.sync()
    stop(server, concerned.device_id)
    for station in (concerned, other):
        station.sync()
    assert (held(concerned), held(other)) == (["alert-ng-rate"], [])


def test_the_snapshot_leaves_out_stops_of_other_stations(server, make_station):
    stop(server, new_id())
    station = make_station()
    station.sync()
    assert held(station) == []


def test_a_stop_of_another_station_is_no_difference(server, make_station):
    station = make_station()
    station.sync()
    stop(server, new_id())
    station.sync()
    assert compared(station) is None


def foreign_stop(station):
    """A stop of another station, as an earlier version has left it here; returns its id."""
    of_another = LineStop(device_id=new_id(), alert_id=new_id(), code="alert-ng-rate", rev=1)
    with station.database.transaction() as session, remote_changes(session):
        session.add(of_another)
        session.flush()
    return of_another.id


def removals(station):
    """What the audit trail keeps of records for other stations that were removed."""
    with station.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == "sync.foreign_removed").order_by(AuditEntry.sequence)
        return [entry.detail for entry in session.scalars(query)]


def test_a_foreign_stop_of_an_earlier_snapshot_leaves_with_the_daily_comparison(server, make_station):
    station = make_station()
    stop(server)
    station.sync()
    foreign_stop(station)
    foreign_stop(station)
    assert (compared(station), held(station)) == (None, ["alert-ng-rate"])
    assert removals(station) == [{"line_stop": 2}]


def test_a_store_without_foreign_records_notes_no_removal(server, make_station):
    station = make_station()
    stop(server)
    station.sync()
    assert (compared(station), removals(station)) == (None, [])


def test_a_foreign_record_that_an_edit_waits_for_stays(server, make_station):
    station = make_station()
    station.sync()
    stop_id = foreign_stop(station)
    with station.database.transaction() as session:
        session.get(LineStop, stop_id).code = "alert-ng-run"
    remove_foreign(station.database, station.device_id)
    assert (held(station), removals(station)) == (["alert-ng-run"], [])


@contextmanager
def removal_without_room(station):
    """Let the disk be full whenever a stop is removed; for everything else there is room."""

    def room(connection, record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 500}").close()

    engine = station.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE ballast (data BLOB)")
        connection.exec_driver_sql(
            "CREATE TRIGGER no_room BEFORE DELETE ON line_stops "
            "BEGIN INSERT INTO ballast VALUES (zeroblob(10000000)); END"
        )
    event.listen(engine, "connect", room)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", room)
        engine.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER no_room")
            connection.exec_driver_sql("DROP TABLE ballast")


def test_a_pass_that_cannot_remove_foreign_records_keeps_what_it_has_sent(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    foreign_stop(station)
    part = station.inspect_part(target.id, user.id)
    with removal_without_room(station), pytest.raises(Unavailable) as failed:
        compared(station)
    assert failed.value.code == stored_status(station.database).last_failure.code == "disk-full"
    assert (station.outbox(), server.record(InspectionSession, part) is not None) == ([], True)
    assert (held(station), removals(station)) == (["alert-ng-rate"], [])


def test_the_next_pass_makes_up_for_a_removal_that_failed(server, make_station):
    station = make_station()
    prepared(server, station)
    foreign_stop(station)
    with removal_without_room(station), pytest.raises(Unavailable):
        compared(station)
    station.sync()
    assert stored_status(station.database).last_failure is None
    assert (held(station), removals(station)) == ([], [{"line_stop": 1}])


def test_a_stop_of_the_former_station_of_a_store_leaves_with_the_daily_comparison(server, make_station):
    station = make_station()
    stop(server, station.device_id)
    station.sync()
    device_id = server.add_device("anew")
    with station.database.transaction() as session:
        own = {"former_id": station.device_id, "device_id": device_id, "server_url": "test:"}
        become_device(session, **own, same_server=True)
    station.settle()
    anew = Station(station.folder, server, "anew", device_id=device_id)
    anew.sync()
    assert (compared(anew), held(anew), removals(anew)) == (None, [], [{"line_stop": 1}])
    anew.close()


def test_the_release_of_a_stop_reaches_the_station(server, make_station):
    station = make_station()
    stop(server)
    station.sync()
    assert held(station) == ["alert-ng-rate"]
    with server.database.transaction() as session:
        for one in session.scalars(select(LineStop)):
            one.released_at, one.released_by = utc_now(), "supervisor"
    station.sync()
    assert held(station) == []
