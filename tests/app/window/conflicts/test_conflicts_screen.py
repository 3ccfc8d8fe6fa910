"""The screen of conflicts: both values, and a decision by keys alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from app.window.conflicts.presenter import ConflictsPresenter
from app.window.conflicts.screen import ConflictsScreen
from app.window.sync.presenter import SyncPresenter
from models.ids import new_id
from models.sync import OutboxEntry, SyncConflict
from models.targets import Target
from tests.support.station import DEVICE
from tests.support.user_robot import UserRobot


def lose(robot: UserRobot, *values: str) -> None:
    """Let the target's name have been changed by this station, each time in vain."""
    with robot.context.workspace.database.local_transaction() as session:
        for number, value in enumerate(values):
            session.add(
                SyncConflict(
                    entity="target",
                    entity_id=robot.station.target_id,
                    field="name",
                    change_id=new_id(),
                    device_id=DEVICE,
                    kept_value="Plate",
                    kept_clock=f"{1_760_000_000_000 + number:013d}-0001-elsewhere",
                    kept_by="suzuki, line 2",
                    lost_value=value,
                    lost_clock=f"{1_750_000_000_000 + number:013d}-0001-{DEVICE}",
                    lost_by="sato, line 1",
                )
            )


def screen(robot: UserRobot) -> ConflictsScreen:
    found: ConflictsScreen = robot.window.window.screens["conflicts"]
    return found


@pytest.fixture
def lost(robot: UserRobot) -> ConflictsPresenter:
    """The engineer at the screen, with two conflicts."""
    lose(robot, "Lid", "Cover")
    robot.context.sign_in(robot.station.engineer)
    presenter = robot.window.presenter(ConflictsPresenter)
    robot.window.show_screen("conflicts")
    robot.until(lambda: len(presenter.state.conflicts) == 2)
    return presenter


def test_both_values_are_shown_beside_each_other(robot: UserRobot, lost: ConflictsPresenter) -> None:
    shown = screen(robot)
    assert [value.text() for value in shown.values] == ["Lid", "Plate", "Plate"]
    assert "sato, line 1" in shown.makers[0].text()
    assert "suzuki, line 2" in shown.makers[1].text()
    assert shown.values[0].x() < shown.values[1].x()
    assert shown.values[0].y() == shown.values[1].y()


@pytest.mark.parametrize(
    ("user", "shown"), [("", ["person not known, line 2", "time not known"]), (None, ["line 2", "time not known"])]
)
def test_a_side_whose_person_or_time_is_not_known_says_so(robot: UserRobot, user: str | None, shown: list[str]) -> None:
    lose(robot, "Lid")
    with robot.context.workspace.database.local_transaction() as session:
        row = session.scalars(select(SyncConflict)).one()
        row.kept_by, row.kept_user, row.kept_clock = "line 2", user, ""
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("conflicts")
    robot.until(lambda: robot.window.presenter(ConflictsPresenter).state.conflicts)
    assert screen(robot).makers[1].text().splitlines() == shown


def test_the_value_that_was_kept_is_left_with_one_key(robot: UserRobot, lost: ConflictsPresenter) -> None:
    robot.key(Qt.Key.Key_K)
    robot.until(lambda: len(lost.state.conflicts) == 1)
    assert lost.state.chosen is not None
    assert lost.state.chosen.mine.text == "Cover"


def test_the_value_that_lost_is_set_again_with_one_key(robot: UserRobot, lost: ConflictsPresenter) -> None:
    robot.key(Qt.Key.Key_M)
    robot.until(lambda: len(lost.state.conflicts) == 1)
    with robot.context.workspace.database.read() as session:
        target = session.get_one(Target, robot.station.target_id)
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.entity == "target")).one()
    assert target.name == "Lid"
    assert (entry.user_id, entry.fields["name"]) == (robot.station.engineer.user_id, "Lid")


def test_decided_conflicts_can_be_looked_up(robot: UserRobot, lost: ConflictsPresenter) -> None:
    robot.key(Qt.Key.Key_K)
    robot.until(lambda: len(lost.state.conflicts) == 1)
    robot.key(Qt.Key.Key_V)
    robot.until(lambda: len(lost.state.conflicts) == 2)
    assert lost.state.waiting == 1


def test_an_operator_sees_conflicts_without_deciding(robot: UserRobot) -> None:
    lose(robot, "Lid")
    robot.context.sign_in(robot.station.operator)
    presenter = robot.window.presenter(ConflictsPresenter)
    robot.window.show_screen("conflicts")
    robot.until(lambda: presenter.state.conflicts)
    assert not any((presenter.state.may_keep, presenter.state.may_take))


def test_an_operator_reads_who_decides_about_a_conflict(robot: UserRobot) -> None:
    lose(robot, "Lid")
    robot.context.sign_in(robot.station.operator)
    robot.window.show_screen("conflicts")
    robot.until(lambda: robot.window.presenter(ConflictsPresenter).state.conflicts)
    assert screen(robot).note.isVisible()
    assert screen(robot).note.text()


def test_whoever_decides_about_a_conflict_reads_no_such_note(robot: UserRobot, lost: ConflictsPresenter) -> None:
    assert lost.state.may_keep
    assert not screen(robot).note.isVisible()


def test_the_sync_page_leads_to_the_conflicts(robot: UserRobot) -> None:
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("sync")
    sync = robot.window.presenter(SyncPresenter)
    robot.until(lambda: sync.state.status is not None)
    robot.key(Qt.Key.Key_C)
    assert robot.context.screen == "conflicts"
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "sync"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_long_values_are_not_cut_on_a_small_display(robot: UserRobot, lost: ConflictsPresenter, language: str) -> None:
    lose(robot, "a very long name " * 20)
    robot.window.language.show("ja" if language == "ja" else "en")
    robot.window.window.resize(1366, 768)
    lost.refresh()
    robot.until(lambda: len(lost.state.conflicts) == 3)
    lost.choose(lost.state.conflicts[2].id)
    robot.qtbot.wait(1)
    shown = screen(robot)
    for label in (*shown.values, *shown.makers, shown.field):
        assert label.height() >= label.heightForWidth(label.width())
    for button in (shown.leave, shown.show_seen, shown.take_mine, shown.keep_theirs):
        assert button.width() >= button.sizeHint().width(), button.accessibleName()
