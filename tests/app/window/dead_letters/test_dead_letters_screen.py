"""The screen of refused changes: why, mending, sending again, giving up, writing to a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from app.station.operations import dead_letters
from app.window.dead_letters.presenter import DeadLettersPresenter
from app.window.dead_letters.screen import DeadLettersScreen
from app.window.sync.presenter import SyncPresenter
from app.window.widgets.record_names import entity_name
from models.errors import Conflict
from models.states import OutboxState
from models.sync import OutboxEntry
from models.targets import DefectClass, InspectionItem, Target
from sync.shared.problems import change_problem
from sync.station.dropping import Consequences
from tests.support.user_robot import UserRobot

CODE = "sync-not-unique"


def refuse(robot: UserRobot, *names: str) -> list[str]:
    """Let the store hold a refused change of a new target for each name; return their change ids."""
    database = robot.context.workspace.database
    with database.transaction(actor=robot.station.engineer.user_id) as session:
        session.add_all([Target(code=name, name=f"Target {name}") for name in names])
    with database.transaction() as session:
        entries = session.scalars(
            select(OutboxEntry).where(OutboxEntry.entity == "target").order_by(OutboxEntry.sequence)
        ).all()[-len(names) :]
        for entry in entries:
            error = Conflict(CODE, field="code", value=entry.fields["code"])
            entry.state, entry.last_error, entry.problem = OutboxState.DEAD, CODE, change_problem(error)
    return [entry.change_id for entry in entries]


def outbox(robot: UserRobot) -> dict[str, OutboxEntry]:
    with robot.context.workspace.database.read() as session:
        return {entry.entity_id: entry for entry in session.scalars(select(OutboxEntry))}


@pytest.fixture
def refused(robot: UserRobot) -> DeadLettersPresenter:
    """The engineer at the screen, with two refused changes."""
    refuse(robot, "A-1", "B-2")
    robot.context.sign_in(robot.station.engineer)
    presenter = robot.window.presenter(DeadLettersPresenter)
    robot.window.show_screen("dead_letters")
    robot.until(lambda: len(presenter.state.letters) == 2)
    robot.until(lambda: robot.window.workers.is_idle)
    return presenter


def screen(robot: UserRobot) -> DeadLettersScreen:
    found: DeadLettersScreen = robot.window.window.screens["dead_letters"]
    return found


def test_the_reason_follows_the_language_of_the_window(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    for language in ("en", "ja"):
        robot.window.language.show(language)
        reason = refused.state.letters[0].reason(language)
        assert screen(robot).reason.text() == f"{reason.title}\n{reason.detail}\n{reason.advice}"


def test_a_field_is_mended_by_keys_alone(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    letter = refused.state.letters[0]
    robot.key(Qt.Key.Key_C)
    assert robot.focus is screen(robot).line
    robot.type("A-9")
    robot.key(Qt.Key.Key_Return)
    robot.key(Qt.Key.Key_S)
    robot.until(lambda: len(refused.state.letters) == 1)
    entry = outbox(robot)[letter.entity_id]
    assert (entry.state, entry.fields["code"]) == (OutboxState.WAITING, "A-9")
    assert entry.user_id == robot.station.engineer.user_id


def test_what_cannot_be_mended_so_is_reported(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    refused.choose_field("code")
    refused.mend("PLATE")
    refused.send()
    robot.until(lambda: robot.banner_says("dead-letter-taken", field="code", value="PLATE"))
    assert len(refused.state.letters) == 2


def test_all_of_one_cause_are_sent_again_with_one_key(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    robot.key(Qt.Key.Key_A)
    robot.until(lambda: not refused.state.letters)
    assert {entry.state for entry in outbox(robot).values()} == {OutboxState.WAITING}


def test_a_change_is_given_up_only_with_a_reason(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    letter = refused.state.letters[0]
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: refused.state.dropping)
    assert robot.focus is screen(robot).line
    robot.key(Qt.Key.Key_Return)
    assert letter.entity_id in outbox(robot)
    screen(robot).line.setFocus()
    robot.type("slip")
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: len(refused.state.letters) == 1)
    assert letter.entity_id not in outbox(robot)


def test_the_question_says_what_goes_with_a_change(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    letter = refused.state.letters[0]
    with robot.context.workspace.database.transaction(actor=robot.station.engineer.user_id) as session:
        session.add_all([InspectionItem(target_id=letter.entity_id, name=name) for name in ("Front", "Back")])
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: refused.state.dropping)
    assert refused.state.goes_along == Consequences(2, {"item": 2})
    assert f"{entity_name('item')}: 2" in screen(robot).reason.text()


def test_what_came_behind_since_the_question_is_asked_about_again(
    robot: UserRobot, refused: DeadLettersPresenter
) -> None:
    letter = refused.state.letters[0]
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: refused.state.dropping)
    with robot.context.workspace.database.transaction(actor=robot.station.engineer.user_id) as session:
        session.add(InspectionItem(target_id=letter.entity_id, name="Front"))
    refused.drop("slip")
    robot.until(lambda: robot.banner_says("dead-letter-more-waits", changes=1))
    assert letter.entity_id in outbox(robot)


def test_escape_leaves_the_question_why(robot: UserRobot, refused: DeadLettersPresenter) -> None:
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: refused.state.dropping)
    robot.key(Qt.Key.Key_Escape)
    assert not refused.state.dropping
    assert robot.context.screen == "dead_letters"


def test_an_operator_sees_a_masters_change_without_being_able_to_send_it(robot: UserRobot) -> None:
    refuse(robot, "A-1")
    robot.context.sign_in(robot.station.operator)
    presenter = robot.window.presenter(DeadLettersPresenter)
    robot.window.show_screen("dead_letters")
    robot.until(lambda: presenter.state.letters)
    assert not any((presenter.state.may_send, presenter.state.may_mend, presenter.state.may_drop))
    assert robot.actions("dead_letters").export.isEnabled()


def test_the_changes_are_written_to_a_file(
    robot: UserRobot, refused: DeadLettersPresenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "user_documents_path", lambda: tmp_path)
    robot.key(Qt.Key.Key_E)
    robot.until(lambda: refused.state.exported is not None)
    assert refused.state.exported is not None
    assert len(refused.state.exported.read_text(encoding="utf-8").splitlines()) == 2
    assert str(refused.state.exported) in screen(robot).note.text()


def test_the_sync_page_leads_to_the_refused_changes(robot: UserRobot) -> None:
    refuse(robot, "A-1")
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("sync")
    sync = robot.window.presenter(SyncPresenter)
    robot.until(lambda: sync.state.status is not None and sync.state.status.dead == 1)
    robot.key(Qt.Key.Key_R)
    assert robot.context.screen == "dead_letters"
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "sync"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("size", [(1366, 768), (1024, 700)])
def test_nothing_is_cut_on_a_small_display(
    robot: UserRobot, refused: DeadLettersPresenter, language: str, size: tuple[int, int]
) -> None:
    robot.window.language.show("ja" if language == "ja" else "en")
    robot.window.window.resize(*size)
    robot.qtbot.wait(1)
    shown = screen(robot)
    assert (robot.window.window.width(), robot.window.window.height()) == size
    for button in (shown.leave, shown.export, shown.drop, shown.send_all, shown.send, shown.mend):
        assert button.width() >= button.sizeHint().width(), button.accessibleName()
    for label in (shown.reason, shown.note):
        assert label.height() >= label.heightForWidth(label.width())


def test_kinds_of_defect_are_called_by_their_code(robot: UserRobot) -> None:
    database = robot.context.workspace.database
    with database.transaction() as session:
        session.add(DefectClass(code="burr", name_en="Burr", name_ja="バリ"))
    with database.transaction() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.entity == "defect_class")).one()
        entry.state, entry.last_error = OutboxState.DEAD, CODE
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("dead_letters")
    robot.until(lambda: screen(robot).letters.count() == 1)
    assert "burr" in screen(robot).letters.item(0).text()
