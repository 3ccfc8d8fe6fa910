from __future__ import annotations

import re

from PySide6.QtCore import Qt
from sqlalchemy import select

from app.station.operations.history import part
from app.window.work.state import Phase
from models.sessions import InspectionSession
from models.states import SessionStatus
from models.targets import InspectionItem
from models.tracking import remote_changes
from tests.support.user_robot import UserRobot, inspect_next, stored


def test_signing_out_with_an_undecided_part_cancels_it(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    session_id = robot.work.state.session_id
    assert session_id is not None
    robot.key(Qt.Key.Key_F10)
    robot.until(lambda: robot.window.workers.is_idle)
    assert robot.context.screen == "sign_in"
    assert part(robot.context.workspace, session_id).status is SessionStatus.CANCELLED


def test_what_arrives_after_signing_out_is_not_shown(robot: UserRobot) -> None:
    robot.start_work()
    robot.work.capture()
    assert robot.work.state.phase is Phase.INSPECTING
    robot.window.actions.sign_out.trigger()
    robot.until(lambda: robot.window.workers.is_idle)
    assert robot.work.state.phase is Phase.SCAN
    assert robot.work.state.session_id is None
    assert robot.context.screen == "sign_in"


def test_a_part_whose_inspection_begins_while_the_user_leaves_is_not_left_open(robot: UserRobot) -> None:
    robot.start_work()
    robot.work.capture()
    robot.context.sign_out()
    robot.until(lambda: robot.window.workers.is_idle)
    with robot.context.workspace.database.read() as session:
        assert session.scalars(select(InspectionSession.status)).all() in ([], [SessionStatus.CANCELLED])


def test_the_same_user_goes_on_with_the_next_part_after_coming_back(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.key(Qt.Key.Key_H)
    stored(robot)
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "home"
    robot.start_work()
    inspect_next(robot)


def test_a_part_with_two_items_is_decided_once_both_are_inspected(robot: UserRobot) -> None:
    workspace = robot.context.workspace
    with workspace.database.transaction() as session, remote_changes(session):
        first = session.scalars(select(InspectionItem)).one()
        session.add(
            InspectionItem(
                target_id=first.target_id,
                name="Back",
                position=2,
                pipeline_id=first.pipeline_id,
                pipeline_parameters=first.pipeline_parameters,
                rev=99,
            )
        )
    robot.start_work()
    assert re.findall(r"\d+", robot.window.window.top_bar.subtitle.text()) == ["1", "2"]
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.item.name == "Back")
    assert robot.work.state.phase is Phase.SCAN
    assert re.findall(r"\d+", robot.window.window.top_bar.subtitle.text()) == ["2", "2"]
    robot.until(lambda: robot.work.state.has_frame)
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    robot.key(Qt.Key.Key_H)
    stored(robot)
    with workspace.database.read() as session:
        assert session.scalars(select(InspectionSession.status)).all() == [SessionStatus.COMPLETED]
