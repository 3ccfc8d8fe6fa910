from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from app.operations.history import recent_parts
from app.presenters.work_state import Phase, needs_reason
from models.states import HumanVerdict, Verdict
from tests.app.ui.conftest import Desk


def inspect_next(desk: Desk, wanted: Verdict | None = None) -> None:
    """Capture parts until the AI result is the wanted one; the others are agreed with."""
    while True:
        desk.until(lambda: desk.work.state.has_frame)
        desk.key(Qt.Key.Key_Space)
        desk.until(lambda: desk.work.state.phase is Phase.DECIDE)
        if wanted is None or desk.work.state.verdict is wanted:
            return
        desk.work.decide(HumanVerdict(desk.work.state.verdict.value))
        desk.until(lambda: desk.work.state.phase is Phase.DONE)


def stored(desk: Desk) -> None:
    desk.until(lambda: desk.work.state.phase is Phase.DONE)


def test_space_captures_and_shows_verdict_and_evidence(desk: Desk) -> None:
    desk.start_work()
    screen = desk.window.window.screens["work"]
    inspect_next(desk)
    assert screen.band.band.verdict is HumanVerdict(desk.work.state.verdict.value)
    assert screen.band.accessibleName() in {"OK", "NG"}
    assert screen.stage.has_image
    assert screen.stage.has_heatmap
    assert str(round(desk.work.state.worst.score, 2)) in screen.evidence.gauge.accessibleName()


def test_why_a_part_is_ng_stands_beside_it_in_the_language_of_the_window(desk: Desk) -> None:
    desk.start_work()
    against = desk.window.window.screens["work"].evidence.against
    inspect_next(desk, Verdict.NG)
    assert against.isVisible()
    assert against.text() == "Anomaly score above the threshold"
    desk.window.set_language("ja")
    assert against.text() == "異常スコアが閾値を超えています"
    desk.work.decide(HumanVerdict.OK)
    stored(desk)
    inspect_next(desk, Verdict.OK)
    assert not against.isVisible()


def test_the_reasons_of_every_item_are_told_those_of_the_worst_first(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk, Verdict.NG)
    state = desk.work.state
    worst = state.worst
    assert worst is not None
    coded = worst.outcome.result.model_copy(update={"reasons": ["code-missing:lot", "anomaly-score"]})
    other = replace(worst, item_id="other", score=None, outcome=replace(worst.outcome, result=coded))
    both = replace(state, inspections=(other, worst))
    assert both.reasons == ("anomaly-score", "code-missing:lot")
    assert replace(both, phase=Phase.SCAN).reasons == ()
    many = coded.model_copy(update={"reasons": [f"code-missing:{number}" for number in range(9)]})
    panel = desk.window.window.screens["work"].evidence
    panel.show_state(replace(state, inspections=(replace(other, outcome=replace(worst.outcome, result=many)),)))
    assert panel.against.text().splitlines()[-2:] == ["4: code not found", "…"]


def test_enter_agrees_with_an_ok_part_by_one_key(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk, Verdict.OK)
    desk.key(Qt.Key.Key_Return)
    stored(desk)
    part = recent_parts(desk.window.presenters.session.workspace, 1)[0]
    assert part.human_verdict is HumanVerdict.OK
    assert not part.overruled
    assert part.username == "operator"


def test_an_ng_part_asks_for_the_defect_and_a_digit_answers(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk, Verdict.NG)
    desk.key(Qt.Key.Key_Return)
    assert desk.work.state.phase is Phase.REASON
    desk.key(Qt.Key.Key_1)
    stored(desk)
    part = recent_parts(desk.window.presenters.session.workspace, 1)[0]
    assert part.human_verdict is HumanVerdict.NG


def test_o_overrules_and_enter_stores_it_with_the_comment(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    said = desk.work.state.verdict
    desk.key(Qt.Key.Key_O)
    assert desk.work.state.phase is Phase.REASON
    desk.key(Qt.Key.Key_C)
    desk.type("oh no")
    assert desk.work.state.comment == "oh no"
    desk.key(Qt.Key.Key_Return)
    stored(desk)
    part = recent_parts(desk.window.presenters.session.workspace, 1)[0]
    assert part.overruled
    assert part.human_verdict.value != said.value


def test_escape_takes_an_overrule_back(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.key(Qt.Key.Key_O)
    desk.key(Qt.Key.Key_Escape)
    assert desk.work.state.phase is Phase.DECIDE
    assert desk.work.state.human is None
    assert desk.window.presenters.session.screen == "work"


def test_h_puts_the_part_on_hold_and_n_makes_ready_for_the_next(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.key(Qt.Key.Key_H)
    stored(desk)
    assert desk.window.window.screens["work"].band.accessibleName() == "HOLD"
    desk.key(Qt.Key.Key_N)
    assert desk.work.state.phase is Phase.SCAN
    assert recent_parts(desk.window.presenters.session.workspace, 1)[0].effective_verdict is HumanVerdict.HOLD


def test_a_part_that_is_not_decided_cannot_be_left_by_a_slip_of_the_finger(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_N, Qt.Key.Key_Space):
        desk.key(key)
    assert desk.work.state.phase is Phase.DECIDE
    assert desk.window.presenters.session.screen == "work"


def test_the_strip_counts_the_parts_of_the_day(desk: Desk) -> None:
    desk.start_work()
    for _ in range(2):
        inspect_next(desk)
        desk.key(Qt.Key.Key_H)
        stored(desk)
    assert "2 HOLD" in desk.window.window.screens["work"].strip.accessibleName()


def test_at_the_end_of_the_images_the_window_says_so_and_stays(desk: Desk) -> None:
    desk.start_work()
    while not desk.work.state.source_ended:
        inspect_next(desk)
        desk.key(Qt.Key.Key_H)
        stored(desk)
        desk.until(lambda: desk.work.state.has_frame or desk.work.state.source_ended)
    assert "No more images" in desk.window.window.banner.text
    desk.key(Qt.Key.Key_Escape)
    assert desk.window.presenters.session.screen == "home"


def test_an_agreed_ng_asks_for_no_reason_where_there_is_none_to_choose(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk, Verdict.NG)
    state = replace(desk.work.state, human=HumanVerdict.NG)
    assert state.defect_classes
    assert needs_reason(state)
    assert not needs_reason(replace(state, defect_classes=()))
    assert needs_reason(replace(state, defect_classes=(), human=HumanVerdict.OK))
    assert not needs_reason(replace(state, human=HumanVerdict.HOLD))
