"""A station whose server was made anew is set up anew at the window: what is held is shown, what is sent is chosen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from app.window.enrolment.screen import EnrolmentScreen
from models.states import HumanVerdict
from models.sync import OfferedMaster
from sync.station.state import COMPARED_TO, get_value
from tests.support.serving import Served, serve_with_users
from tests.support.user_robot import UserRobot, inspect_next, stored

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def asked(robot: UserRobot, new_server: Served) -> UserRobot:
    """A person at a station with a part, before the question what is sent to the new server."""
    robot.start_work()
    inspect_next(robot)
    robot.work.decide(HumanVerdict.OK)
    stored(robot)
    robot.context.sign_out()
    robot.window.start()
    robot.until(lambda: robot.enrolment.state.needs_credential)
    robot.navigate("enrolment")
    robot.actions("enrolment").anew.trigger()
    robot.until(lambda: robot.enrolment.state.anew is not None)
    code = new_server["admin"].post("/enrolment-codes", json={"device_name": "Line 1"}).json()["code"]
    assert robot.focus is screen(robot).code
    robot.type(code)
    screen(robot).address.setText(new_server.url)
    robot.qtbot.keyClick(screen(robot).code, Qt.Key.Key_Return)
    robot.until(lambda: robot.enrolment.state.anew.asking)
    return robot


def screen(robot: UserRobot) -> EnrolmentScreen:
    found: EnrolmentScreen = robot.window.window.screens["enrolment"]
    return found


def enrolled(robot: UserRobot, former: str) -> str:
    """Wait until the station is another one; return its id."""
    robot.until(lambda: robot.context.workspace.device_id != former)
    robot.until(lambda: robot.enrolment.state.anew is None)
    return robot.context.workspace.device_id


def test_what_is_held_is_shown_before_anything_is_sent(asked: UserRobot) -> None:
    anew = asked.enrolment.state.anew
    assert (anew.held.records["inspection_session"], anew.held.records["image"]) == (1, 2)
    assert anew.held.since is not None
    assert anew.status.waiting > 0
    assert "1" in screen(asked).hint.text()


def test_everything_that_is_held_goes_to_the_new_server_by_choice(asked: UserRobot, new_server: Served) -> None:
    workspace, former = asked.context.workspace, asked.context.workspace.device_id
    asked.key(Qt.Key.Key_Return)
    device_id = enrolled(asked, former)
    workspace.request_sync()
    asked.until(lambda: workspace.engine.status().last_success is not None)
    with new_server.context.database.read() as session:
        offered = session.scalars(select(OfferedMaster.entity).where(OfferedMaster.device_id == device_id)).all()
    assert "item" in offered
    assert workspace.link.engine.stop()


def test_only_what_was_not_sent_goes_by_the_other_choice(asked: UserRobot) -> None:
    workspace, former = asked.context.workspace, asked.context.workspace.device_id
    workspace.link.engine.request = lambda: None
    asked.key(Qt.Key.Key_N)
    enrolled(asked, former)
    with workspace.database.read() as session:
        assert get_value(session, COMPARED_TO) is None
    assert workspace.link.engine.stop()


def test_a_wrong_code_leads_back_to_the_form(asked: UserRobot) -> None:
    former = asked.context.workspace.device_id
    asked.key(Qt.Key.Key_Escape)
    assert not asked.enrolment.state.anew.asking
    asked.enrolment.ask_what_to_send(asked.enrolment.state.anew.address, "WRONG-CODE")
    asked.enrolment.enrol_anew(send_all=True)
    asked.until(lambda: not asked.enrolment.state.busy and not asked.enrolment.state.anew.asking)
    assert asked.context.workspace.device_id == former
    assert asked.window.window.banner.isVisible()
    assert asked.context.workspace.link.engine.stop()


def test_escape_leads_back_to_the_credential(asked: UserRobot) -> None:
    for _ in range(2):
        asked.enrolment.leave_anew()
    assert asked.enrolment.state.anew is None
    assert screen(asked).credential.isVisible()
    assert asked.context.workspace.link.engine.stop()
