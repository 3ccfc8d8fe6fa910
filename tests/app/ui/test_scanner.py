from __future__ import annotations

from PySide6.QtCore import Qt

from app.presenters.wedge_scanner import RepeatedScan, Scanned, Typed, WedgeScanner
from app.presenters.work_state import Phase
from tests.app.ui.conftest import Desk
from tests.app.ui.test_work import inspect_next


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


def test_a_scan_gives_the_part_code_wherever_the_focus_is(desk: Desk) -> None:
    desk.start_work()
    screen = desk.window.window.screens["work"]
    for number, widget in enumerate((screen, screen.evidence.opacity, screen.evidence.code, screen.home)):
        widget.setFocus()
        desk.scan(f"OHN-{number}")
        assert desk.work.state.part_code == f"OHN-{number}"
        assert desk.work.state.phase is Phase.SCAN


def test_a_scan_presses_no_action_key_and_fills_no_comment(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.key(Qt.Key.Key_O)
    desk.key(Qt.Key.Key_C)
    desk.scan("1HOLD")
    assert desk.work.state.phase is Phase.REASON
    assert desk.work.state.comment == ""
    assert "1HOLD" in desk.window.window.banner.text


def test_a_scan_after_the_decision_begins_the_next_part(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.key(Qt.Key.Key_H)
    desk.until(lambda: desk.work.state.phase is Phase.DONE)
    desk.scan("NEXT-7")
    assert desk.work.state.phase is Phase.SCAN
    assert desk.work.state.part_code == "NEXT-7"


def test_a_broken_scan_without_its_enter_decides_nothing(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.qtbot.keyClicks(desk.focus, "ohn")
    desk.qtbot.wait(150)
    assert desk.work.state.phase is Phase.DECIDE


def test_a_code_can_be_typed_too(desk: Desk) -> None:
    desk.start_work()
    desk.key(Qt.Key.Key_P)
    desk.type("h 12")
    desk.key(Qt.Key.Key_Return)
    assert desk.work.state.part_code == "h 12"
    assert desk.work.state.phase is Phase.SCAN
