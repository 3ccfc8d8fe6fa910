from __future__ import annotations

from PySide6.QtCore import Qt

from app.window.presenting.wedge_scanner import RepeatedScan, Scanned, Typed, WedgeScanner
from app.window.work.state import Phase
from tests.support.user_robot import UserRobot, inspect_next


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
