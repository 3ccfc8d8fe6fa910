"""What is wrong with an item's settings is told at work, once and not with every part."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.presenters.work_state import Phase
from app.screens.work_panels import EvidencePanel
from app.workspace import Workspace
from models.states import Verdict
from models.targets import InspectionItem
from tests.app.ui.conftest import Desk
from tests.app.ui.test_work import inspect_next


def test_a_threshold_chosen_for_another_model_is_told_once(desk: Desk, workspace: Workspace) -> None:
    with workspace.database.transaction(actor=desk.station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, desk.station.item_id)
        item.criteria = {"threshold": 5.0, "threshold_model": "0" * 64}
    desk.start_work()
    notices = desk.window.presenters.session.notices
    for part in range(2):
        desk.key(Qt.Key.Key_Space)
        desk.until(lambda: desk.work.state.phase is Phase.DECIDE)
        told = notices.shown
        assert (told is not None) is (part == 0)
        if told is not None:
            assert told.error.code == "window-item-threshold-passed-over"
            assert "Surface" in told.error.text("ja").detail
            notices.dismiss()
        desk.key(Qt.Key.Key_H)
        desk.until(lambda: desk.work.state.phase is Phase.DONE and desk.work.state.has_frame)


def test_beneath_a_banner_on_a_small_screen_the_threshold_and_the_reason_are_not_cut_off(
    desk: Desk, workspace: Workspace
) -> None:
    with workspace.database.transaction(actor=desk.station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, desk.station.item_id)
        item.criteria = {"threshold": 5.0, "threshold_model": "0" * 64}
    desk.start_work()
    desk.window.window.resize(1366, 768)
    panel = desk.window.window.findChild(EvidencePanel)
    assert panel is not None
    inspect_next(desk, Verdict.NG)
    assert desk.window.presenters.session.notices.shown is not None
    desk.until(panel.against.isVisible)
    QApplication.processEvents()
    assert desk.window.window.height() == 768
    for widget in (panel.gauge, panel.against):
        assert widget.height() >= widget.minimumSizeHint().height(), widget
    assert panel.against.height() >= panel.against.heightForWidth(panel.against.width())
