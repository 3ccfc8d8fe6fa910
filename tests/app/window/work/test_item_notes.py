"""What is wrong with an item's settings is reported at work, once and not with every part."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.station.workspace import Workspace
from app.window.work.evidence_panel import EvidencePanel
from app.window.work.state import Phase
from models.states import Verdict
from models.targets import InspectionItem
from tests.support.user_robot import UserRobot, inspect_next


def test_a_threshold_chosen_for_another_model_is_reported_once(robot: UserRobot, workspace: Workspace) -> None:
    with workspace.database.transaction(actor=robot.station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, robot.station.item_id)
        item.criteria = {"threshold": 5.0, "threshold_model": "0" * 64}
    robot.start_work()
    notices = robot.context.notices
    for part in range(2):
        robot.key(Qt.Key.Key_Space)
        robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
        reported = notices.shown
        assert (reported is not None) is (part == 0)
        if reported is not None:
            assert reported.error.code == "window-item-threshold-not-applicable"
            assert reported.error.values["item"] == "Surface"
            notices.dismiss()
        robot.key(Qt.Key.Key_H)
        robot.until(lambda: robot.work.state.phase is Phase.DONE and robot.work.state.has_frame)


def test_beneath_a_banner_on_a_small_screen_the_evidence_is_not_cut_off(robot: UserRobot, workspace: Workspace) -> None:
    with workspace.database.transaction(actor=robot.station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, robot.station.item_id)
        item.criteria = {"threshold": 5.0, "threshold_model": "0" * 64}
    robot.start_work()
    robot.window.window.resize(1366, 768)
    panel = robot.window.window.findChild(EvidencePanel)
    assert panel is not None
    inspect_next(robot, Verdict.NG)
    assert robot.context.notices.shown is not None
    robot.until(panel.against.isVisible)
    QApplication.processEvents()
    assert robot.window.window.height() == 768
    for widget in (panel.gauge, panel.against):
        assert widget.height() >= widget.minimumSizeHint().height(), widget
    assert panel.against.height() >= panel.against.heightForWidth(panel.against.width())
