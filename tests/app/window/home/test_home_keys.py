"""Plain keys of the home screen leave its text fields alone."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.station.settings import load_settings
from inspection.sources.folder import FolderSource
from tests.support.user_robot import UserRobot


def ready_to_start(robot: UserRobot) -> None:
    robot.sign_in()
    robot.home.choose_source(str(robot.station.parts.test))
    robot.until(lambda: robot.home.state.may_start)


def test_letters_typed_into_a_field_are_text_rather_than_actions(robot: UserRobot) -> None:
    ready_to_start(robot)
    field = robot.window.window.screens["home"].source
    field.setFocus()
    field.clear()
    robot.type("usb:s")
    assert field.text() == "usb:s"
    assert robot.context.screen == "home"


def test_escape_leaves_a_field_so_that_keys_are_actions_again(robot: UserRobot) -> None:
    ready_to_start(robot)
    robot.window.window.screens["home"].source.setFocus()
    robot.key(Qt.Key.Key_Escape)
    robot.key(Qt.Key.Key_S)
    assert robot.context.screen == "work"


def test_enter_in_the_source_begins_to_inspect_on_it(robot: UserRobot) -> None:
    ready_to_start(robot)
    field = robot.window.window.screens["home"].source
    field.setFocus()
    robot.key(Qt.Key.Key_Return)
    assert robot.context.screen == "work"
    assert robot.context.sources.spec == field.text()


def test_enter_in_an_empty_source_makes_keys_actions_again(robot: UserRobot) -> None:
    ready_to_start(robot)
    screen = robot.window.window.screens["home"]
    screen.source.setFocus()
    screen.source.clear()
    robot.key(Qt.Key.Key_Return)
    assert robot.context.screen == "home"
    assert not screen.source.hasFocus()


def test_a_scanned_code_starts_nothing_at_home(robot: UserRobot) -> None:
    ready_to_start(robot)
    robot.scan("S-123")
    robot.qtbot.wait(150)
    assert robot.context.screen == "home"


def test_a_source_that_was_given_is_not_saved_as_a_specification(robot: UserRobot) -> None:
    robot.sign_in()
    robot.window.set_source(FolderSource(robot.station.parts.test))
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    robot.until(lambda: robot.window.workers.is_idle)
    assert load_settings(robot.station.store).source == ""


def test_a_folder_that_was_typed_is_not_there_for_the_next_person(robot: UserRobot) -> None:
    robot.context.sign_in(robot.station.engineer)
    folder = robot.window.window.screens["home"].folder
    folder.setText("good parts")
    robot.context.sign_out()
    robot.context.sign_in(robot.station.engineer)
    own = folder.text()
    robot.context.sign_out()
    robot.context.sign_in(robot.station.operator)
    assert (own, folder.text()) == ("good parts", "")
