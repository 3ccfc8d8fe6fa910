from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from app.window.presenting.wedge_scanner import RepeatedScan, Scanned, Typed, WedgeScanner
from app.window.work.state import Phase
from tests.support.user_robot import UserRobot, inspect_next, stored


def keys(scanner: WedgeScanner, text: str, gap_s: float, start_s: float = 100.0) -> tuple[list[Typed], float]:
    released, now = [], start_s
    for character in text:
        typed = scanner.key(character, now)
        if typed is not None:
            released.append(typed)
        now += gap_s
    return released, now - gap_s


def test_keys_less_than_60_ms_apart_with_enter_are_a_scan() -> None:
    scanner = WedgeScanner()
    released, last = keys(scanner, "PL-001", 0.059)
    assert released == []
    assert scanner.enter(last + 0.059) == Scanned("PL-001")


def test_keys_60_ms_apart_are_typed() -> None:
    scanner = WedgeScanner()
    released, last = keys(scanner, "PL-001", 0.061)
    assert [typed.keys for typed in released] == list("PL-00")
    assert scanner.enter(last + 0.061) == Typed("1", enter=True)


def test_an_enter_that_comes_late_does_not_make_a_scan() -> None:
    scanner = WedgeScanner()
    _, last = keys(scanner, "PL-001", 0.01)
    assert scanner.enter(last + 0.2) == Typed("PL-001", enter=True)


def test_two_fast_keys_are_too_short_for_a_code() -> None:
    scanner = WedgeScanner()
    _, last = keys(scanner, "o1", 0.01)
    assert scanner.enter(last + 0.01) == Typed("o1", enter=True)


def test_the_same_code_counts_again_after_two_seconds_only() -> None:
    repeated = RepeatedScan()
    assert repeated.accepts("A", 10.0)
    assert not repeated.accepts("A", 11.9)
    assert not repeated.accepts("A", 13.8)
    assert repeated.accepts("B", 13.9)
    assert repeated.accepts("A", 14.0)
    assert repeated.accepts("A", 16.0)


def test_a_scan_gives_the_part_code_wherever_the_focus_is(robot: UserRobot) -> None:
    robot.start_work()
    screen = robot.window.window.screens["work"]
    for number, widget in enumerate((screen, screen.evidence.opacity, screen.evidence.code, screen.home)):
        widget.setFocus()
        robot.scan(f"OHN-{number}")
        assert robot.work.state.part_code == f"OHN-{number}"
        assert robot.work.state.phase is Phase.SCAN


def test_a_scan_is_neither_an_action_key_nor_a_comment(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.key(Qt.Key.Key_O)
    robot.key(Qt.Key.Key_C)
    robot.scan("1HOLD")
    assert robot.work.state.phase is Phase.REASON
    assert robot.work.state.comment == ""
    assert "1HOLD" in robot.window.window.banner.text


def test_a_scan_after_the_decision_begins_the_next_part(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    robot.scan("NEXT-7")
    assert robot.work.state.phase is Phase.SCAN
    assert robot.work.state.part_code == "NEXT-7"


def test_a_broken_scan_without_its_enter_decides_nothing(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.qtbot.keyClicks(robot.focus, "ohn")
    robot.qtbot.wait(150)
    assert robot.work.state.phase is Phase.DECIDE


def test_a_code_can_be_typed_too(robot: UserRobot) -> None:
    robot.start_work()
    robot.key(Qt.Key.Key_P)
    robot.type("h 12")
    robot.key(Qt.Key.Key_Return)
    assert robot.work.state.part_code == "h 12"
    assert robot.work.state.phase is Phase.SCAN


def press_at(robot: UserRobot, key: Qt.Key, text: str, milliseconds: int) -> None:
    """Deliver a key at once that was pressed at ``milliseconds`` of the window system's clock."""
    event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text)
    event.setTimestamp(milliseconds)
    QApplication.sendEvent(robot.focus, event)


def test_a_key_right_after_the_one_that_opens_the_code_is_its_first_character(robot: UserRobot) -> None:
    robot.start_work()
    robot.qtbot.keyClicks(robot.focus, "pL")
    robot.qtbot.wait(150)
    robot.type("OT7")
    robot.key(Qt.Key.Key_Return)
    assert robot.work.state.part_code == "LOT7"


def test_a_key_right_after_the_one_that_decides_is_not_an_action(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.qtbot.keyClicks(robot.focus, "oh")
    robot.qtbot.wait(150)
    assert robot.work.state.phase is Phase.DECIDE


def test_keys_a_busy_window_takes_late_are_still_a_persons(robot: UserRobot) -> None:
    robot.start_work()
    for place, character in enumerate("pLOT7"):
        press_at(robot, Qt.Key(ord(character.upper())), character, 1000 + 120 * place)
    press_at(robot, Qt.Key.Key_Return, "\r", 1600)
    assert robot.work.state.part_code == "LOT7"


def test_p_after_a_stored_part_takes_the_code_of_the_next_one(robot: UserRobot) -> None:
    robot.start_work()
    robot.scan("FIRST-1")
    inspect_next(robot)
    robot.key(Qt.Key.Key_H)
    stored(robot)
    robot.key(Qt.Key.Key_P)
    robot.type("next-2")
    robot.key(Qt.Key.Key_Return)
    assert robot.work.state.part_code == "next-2"
    assert robot.work.state.phase is Phase.SCAN
