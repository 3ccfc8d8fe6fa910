from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from sqlalchemy import select

from app.station.operations.history import recent_parts
from app.window.work.state import CLASSES_SHOWN, Phase, needs_reason
from models.messages import error_text
from models.states import HumanVerdict, Verdict
from models.targets import DefectClass
from models.tracking import remote_changes
from models.verification import HumanVerification
from tests.support.user_robot import UserRobot, inspect_next, stored


def test_space_shows_the_verdict_with_its_evidence(robot: UserRobot) -> None:
    robot.start_work()
    screen = robot.window.window.screens["work"]
    inspect_next(robot)
    assert screen.band.band.verdict is HumanVerdict(robot.work.state.verdict.value)
    assert screen.band.accessibleName() in {"OK", "NG"}
    assert screen.stage.has_image
    assert screen.stage.has_heatmap
    assert str(round(robot.work.state.worst.score, 2)) in screen.evidence.gauge.accessibleName()


def test_why_a_part_is_ng_stands_beside_it_in_the_language_of_the_window(robot: UserRobot) -> None:
    robot.start_work()
    against = robot.window.window.screens["work"].evidence.against
    inspect_next(robot, Verdict.NG)
    assert against.isVisible()
    assert against.text() == error_text("verdict-anomaly-score", {}, "en").detail
    robot.window.language.show("ja")
    assert against.text() == error_text("verdict-anomaly-score", {}, "ja").detail
    robot.work.decide(HumanVerdict.OK)
    stored(robot)
    inspect_next(robot, Verdict.OK)
    assert not against.isVisible()


def test_the_reasons_of_every_item_are_reported_those_of_the_worst_first(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    state = robot.work.state
    worst = state.worst
    assert worst is not None
    coded = worst.outcome.result.model_copy(update={"reasons": ["code-missing:lot", "anomaly-score"]})
    other = replace(worst, item_id="other", score=None, outcome=replace(worst.outcome, result=coded))
    both = replace(state, inspections=(other, worst))
    assert both.reasons == ("anomaly-score", "code-missing:lot")
    assert replace(both, phase=Phase.SCAN).reasons == ()
    many = coded.model_copy(update={"reasons": [f"code-missing:{number}" for number in range(9)]})
    panel = robot.window.window.screens["work"].evidence
    panel.show_state(replace(state, inspections=(replace(other, outcome=replace(worst.outcome, result=many)),)))
    assert panel.against.text().splitlines()[-2:] == [
        error_text("verdict-code-missing", {"name": "4"}, "en").detail,
        "…",
    ]


def test_enter_agrees_with_an_ok_part_by_one_key(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.OK)
    robot.key(Qt.Key.Key_Return)
    stored(robot)
    part = recent_parts(robot.context.workspace, 1)[0]
    assert part.human_verdict is HumanVerdict.OK
    assert not part.overruled
    assert part.username == "operator"


def test_a_digit_answers_which_defect_an_ng_part_has(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    robot.key(Qt.Key.Key_Return)
    assert robot.work.state.phase is Phase.REASON
    robot.key(Qt.Key.Key_1)
    stored(robot)
    part = recent_parts(robot.context.workspace, 1)[0]
    assert part.human_verdict is HumanVerdict.NG


def test_0_offers_the_kinds_of_defect_that_have_no_digit_yet(robot: UserRobot) -> None:
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        for number in range(CLASSES_SHOWN):
            session.add(DefectClass(code=f"z{number}", name_en=f"Z{number}", name_ja=f"Z{number}", rev=90 + number))
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    robot.key(Qt.Key.Key_Return)
    panel = robot.window.window.screens["work"].reasons
    assert panel.more.isVisible()
    robot.key(Qt.Key.Key_0)
    assert [button.isVisible() for button in panel.class_buttons] == [True] + [False] * (CLASSES_SHOWN - 1)
    assert panel.class_buttons[0].accessibleName() == f"Z{CLASSES_SHOWN - 1}"
    robot.key(Qt.Key.Key_1)
    stored(robot)
    with robot.context.workspace.database.read() as session:
        decided = session.scalars(select(HumanVerification).order_by(HumanVerification.id.desc())).first()
        assert decided is not None
    assert [defect["class"] for defect in decided.defects] == [f"z{CLASSES_SHOWN - 1}"]


def test_nine_kinds_of_defect_leave_room_for_each_other(robot: UserRobot) -> None:
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        for number in range(CLASSES_SHOWN + 2):
            session.add(DefectClass(code=f"z{number}", name_en=f"Kind {number}", name_ja=f"Z{number}", rev=90 + number))
    robot.window.window.resize(1366, 768)
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    robot.key(Qt.Key.Key_Return)
    panel = robot.window.window.screens["work"].reasons
    shown = [*panel.class_buttons, panel.more, panel.comment, panel.comment_label, panel.title]
    places = [QRect(widget.mapTo(panel, QPoint()), widget.size()) for widget in shown if widget.isVisible()]
    assert len(places) == len(shown)
    assert all(panel.rect().contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in itertools.combinations(places, 2))


@pytest.mark.parametrize(("kinds", "keys"), [(1, ["1", "Enter"]), (4, ["1–4", "Enter"]), (12, ["1–9", "Enter"])])
def test_the_band_names_the_keys_of_the_kinds_of_defect_that_are_offered(
    robot: UserRobot, kinds: int, keys: list[str]
) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    state = robot.work.state
    classes = tuple(replace(state.defect_classes[0], code=str(number)) for number in range(kinds))
    robot.work.changed.emit(replace(state, phase=Phase.REASON, human=HumanVerdict.NG, defect_classes=classes))
    assert re.findall(r"\d(?:–\d)?|Enter", robot.window.window.screens["work"].band.band.second_detail) == keys


def test_overruling_to_ok_names_no_keys_of_kinds_of_defect(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    robot.key(Qt.Key.Key_O)
    assert robot.work.state.human is HumanVerdict.OK
    assert robot.work.state.classes_offered == ()
    question = robot.window.window.screens["work"].band.band.second_detail
    assert re.findall(r"\d|\bC\b|Enter", question) == ["C", "Enter"]


def test_o_overrules_with_a_comment_that_enter_stores(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    stated = robot.work.state.verdict
    robot.key(Qt.Key.Key_O)
    assert robot.work.state.phase is Phase.REASON
    robot.key(Qt.Key.Key_C)
    robot.type("oh no")
    assert robot.work.state.comment == "oh no"
    robot.key(Qt.Key.Key_Return)
    stored(robot)
    part = recent_parts(robot.context.workspace, 1)[0]
    assert part.overruled
    assert part.human_verdict.value != stated.value


def test_escape_takes_an_overrule_back(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.key(Qt.Key.Key_O)
    robot.key(Qt.Key.Key_Escape)
    assert robot.work.state.phase is Phase.DECIDE
    assert robot.work.state.human is None
    assert robot.context.screen == "work"


def test_h_stores_a_part_on_hold(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.key(Qt.Key.Key_H)
    stored(robot)
    assert robot.window.window.screens["work"].band.accessibleName() == "HOLD"
    robot.key(Qt.Key.Key_N)
    assert robot.work.state.phase is Phase.SCAN
    assert recent_parts(robot.context.workspace, 1)[0].effective_verdict is HumanVerdict.HOLD


def test_a_part_that_is_not_decided_cannot_be_left_by_a_slip_of_the_finger(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_N, Qt.Key.Key_Space):
        robot.key(key)
    assert robot.work.state.phase is Phase.DECIDE
    assert robot.context.screen == "work"


def test_the_strip_counts_the_parts_of_the_day(robot: UserRobot) -> None:
    robot.start_work()
    for _ in range(2):
        inspect_next(robot)
        robot.key(Qt.Key.Key_H)
        stored(robot)
    assert "2 HOLD" in robot.window.window.screens["work"].strip.accessibleName()


def test_at_the_end_of_the_images_the_window_stays(robot: UserRobot) -> None:
    robot.start_work()
    while not robot.work.state.source_ended:
        inspect_next(robot)
        robot.key(Qt.Key.Key_H)
        stored(robot)
        robot.until(lambda: robot.work.state.has_frame or robot.work.state.source_ended)
    assert robot.banner_says("window-source-ended")
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "home"


def test_an_agreed_ng_asks_for_no_reason_where_there_is_none_to_choose(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    state = replace(robot.work.state, human=HumanVerdict.NG)
    assert state.defect_classes
    assert needs_reason(state)
    assert not needs_reason(replace(state, defect_classes=()))
    assert needs_reason(replace(state, defect_classes=(), human=HumanVerdict.OK))
    assert not needs_reason(replace(state, human=HumanVerdict.HOLD))
