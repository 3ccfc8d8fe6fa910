"""A stop of the line that the server has ordered keeps the next part from being begun."""

from __future__ import annotations

import pytest

from app.station.operations.line_stops import line_stops
from app.station.operations.sessions import begin_session
from app.station.operations.sync_overview import sync_overview
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from models.alerts import LineStop
from models.clock import utc_now
from models.errors import Conflict
from models.ids import new_id
from models.tracking import remote_changes
from tests.support.station import Station


def ordered(workspace: Workspace, device_id: str | None, code: str = "alert-ng-rate") -> str:
    """Write a stop as the engine does when it arrives."""
    details = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}
    stop = LineStop(device_id=device_id, alert_id=new_id(), code=code, details=details, clock="")
    with workspace.database.transaction() as session, remote_changes(session):
        session.add(stop)
        session.flush()
    return stop.id


@pytest.mark.parametrize("everywhere", [True, False])
def test_no_part_is_begun_while_a_stop_holds(workspace: Workspace, station: Station, *, everywhere: bool) -> None:
    ordered(workspace, None if everywhere else workspace.device_id)
    with pytest.raises(Conflict) as refused:
        begin_session(workspace, station.operator, target_id=station.target_id)
    assert refused.value.code == "line-stopped"
    assert refused.value.text("ja").detail.count("NG率が上限を超えました") == 1


def test_a_stop_of_another_station_holds_nothing_here(workspace: Workspace, station: Station) -> None:
    ordered(workspace, new_id())
    assert begin_session(workspace, station.operator, target_id=station.target_id).session_id


def test_parts_are_begun_again_once_the_stop_is_released(workspace: Workspace, station: Station) -> None:
    stop_id = ordered(workspace, None)
    with workspace.database.transaction() as session, remote_changes(session):
        session.get_one(LineStop, stop_id).released_at = utc_now()
    assert begin_session(workspace, station.operator, target_id=station.target_id).session_id


def test_a_stop_of_a_newer_server_is_shown_by_its_code(workspace: Workspace) -> None:
    ordered(workspace, None, code="alert-of-tomorrow")
    assert [stop.reason for stop in line_stops(workspace)] == ["alert-of-tomorrow"]


def test_a_stop_holds_over_a_restart_without_the_server(workspace: Workspace, station: Station) -> None:
    ordered(workspace, None)
    workspace.close()
    with Workspace.open(station.store, settings=StationSettings()) as again:
        (shown,) = sync_overview(again).as_json("en")["line_stops"]
        assert (shown["code"], shown["reason"]) == ("alert-ng-rate", "NG rate exceeded threshold (>5%)")
        with pytest.raises(Conflict) as refused:
            begin_session(again, station.operator, target_id=station.target_id)
    assert refused.value.code == "line-stopped"


def test_a_released_stop_is_in_the_status_no_more(workspace: Workspace) -> None:
    stop_id = ordered(workspace, None)
    with workspace.database.transaction() as session, remote_changes(session):
        session.get_one(LineStop, stop_id).released_at = utc_now()
    assert sync_overview(workspace).line_stops == ()
