"""A stop of the line on its way: from the alert on the server to the station that it concerns, and back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.alerts import LineStop
from models.clock import rfc3339, utc_now
from models.ids import new_id
from models.states import Severity
from server.alerts.raising import AlertReason, Recipients, raise_alert
from sync.station.state import DRIFT_CHECKED_AT, get_value, set_value
from sync.station.status import stored_status

DETAILS = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}


def stop(server, *stations):
    """Raise an alert that stops these stations, or all."""
    reason = AlertReason("quality", Severity.CRITICAL, "alert-ng-rate", new_id(), details=DETAILS)
    with server.database.transaction() as session:
        raise_alert(session, reason, Recipients(line_stop=True, stations=stations or None))


def held(station):
    with station.database.read() as session:
        return [one.code for one in session.scalars(select(LineStop)) if one.released_at is None]


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
    with station.database.transaction() as session:
        set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now() - timedelta(days=2)))
    station.sync()
    with station.database.read() as session:
        assert get_value(session, DRIFT_CHECKED_AT) > rfc3339(utc_now() - timedelta(days=1)), "it was compared"
    assert stored_status(station.database).store.drift is None


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
