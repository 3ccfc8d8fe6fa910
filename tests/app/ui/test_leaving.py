from __future__ import annotations

from PySide6.QtCore import Qt
from sqlalchemy import select

from app.operations.history import part
from app.presenters.work_state import Phase
from models.sessions import InspectionSession
from models.states import SessionStatus
from models.targets import InspectionItem
from models.tracking import remote_changes
from tests.app.ui.conftest import Desk
from tests.app.ui.test_work import inspect_next, stored


def test_signing_out_with_an_undecided_part_cancels_it(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    session_id = desk.work.state.session_id
    assert session_id is not None
    desk.key(Qt.Key.Key_F10)
    desk.until(lambda: desk.window.workers.is_idle)
    assert desk.window.presenters.session.screen == "sign_in"
    assert part(desk.window.presenters.session.workspace, session_id).status is SessionStatus.CANCELLED


def test_what_arrives_after_signing_out_is_not_shown(desk: Desk) -> None:
    desk.start_work()
    desk.work.capture()
    assert desk.work.state.phase is Phase.INSPECTING
    desk.window.actions.sign_out.trigger()
    desk.until(lambda: desk.window.workers.is_idle)
    assert desk.work.state.phase is Phase.SCAN
    assert desk.work.state.session_id is None
    assert desk.window.presenters.session.screen == "sign_in"


def test_the_same_user_goes_on_with_the_next_part_after_coming_back(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.key(Qt.Key.Key_H)
    stored(desk)
    desk.key(Qt.Key.Key_Escape)
    assert desk.window.presenters.session.screen == "home"
    desk.start_work()
    inspect_next(desk)


def test_a_part_with_two_items_is_decided_once_both_are_inspected(desk: Desk) -> None:
    workspace = desk.window.presenters.session.workspace
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
    desk.start_work()
    assert "1 of 2" in desk.window.window.top_bar.subtitle.text()
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: desk.work.state.item.name == "Back")
    assert desk.work.state.phase is Phase.SCAN
    assert "2 of 2" in desk.window.window.top_bar.subtitle.text()
    desk.until(lambda: desk.work.state.has_frame)
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: desk.work.state.phase is Phase.DECIDE)
    desk.key(Qt.Key.Key_H)
    stored(desk)
    with workspace.database.read() as session:
        assert session.scalars(select(InspectionSession.status)).all() == [SessionStatus.COMPLETED]
