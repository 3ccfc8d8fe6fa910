"""A stop of the line is shown when it arrives, refuses the next part, and goes with its release."""

from __future__ import annotations

from dataclasses import replace

from app.window.sync.presenter import SyncPresenter
from app.window.work.state import Phase
from models.alerts import LineStop
from models.clock import utc_now
from models.ids import new_id
from models.tracking import remote_changes
from tests.support.user_robot import UserRobot

DETAILS = {"threshold": "5", "rate": "7.2", "inspected": 50, "minutes": 60, "where": "*"}


def arrives(robot: UserRobot, stop: LineStop | None = None) -> LineStop:
    """Write a stop, or its release, as the engine does, and let the window notice the pass."""
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        if stop is None:
            stop = LineStop(device_id=None, alert_id=new_id(), code="alert-ng-rate", details=DETAILS, clock="")
            session.add(stop)
        else:
            session.get_one(LineStop, stop.id).released_at = utc_now()
    sync = robot.window.presenter(SyncPresenter)
    sync.show_status(replace(sync.state.status, waiting=sync.state.status.waiting + 1))
    return stop


def shown(robot: UserRobot) -> str | None:
    notice = robot.context.notices.shown
    return notice.error.code if notice is not None else None


def test_a_stop_is_shown_until_it_is_released(robot: UserRobot) -> None:
    robot.start_work()
    stop = arrives(robot)
    robot.until(lambda: shown(robot) == "line-stopped")
    arrives(robot, stop)
    robot.until(lambda: shown(robot) is None)


def test_no_part_is_begun_while_the_line_is_stopped(robot: UserRobot) -> None:
    robot.start_work()
    arrives(robot)
    robot.until(lambda: shown(robot) == "line-stopped")
    robot.context.notices.dismiss()
    robot.until(lambda: robot.work.state.has_frame)
    robot.work.capture()
    robot.until(lambda: shown(robot) == "line-stopped")
    robot.until(lambda: robot.work.state.phase is Phase.SCAN)
    assert robot.work.state.session_id is None


def test_a_stop_of_before_the_start_is_shown_at_work(robot: UserRobot) -> None:
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        session.add(LineStop(device_id=None, alert_id=new_id(), code="alert-ng-rate", details=DETAILS, clock=""))
    robot.start_work()
    robot.until(lambda: shown(robot) == "line-stopped")
