"""Parts that a killed station left undecided are offered after sign-in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from app.station.operations.history import part
from app.station.operations.open_sessions import open_parts, reopen_part
from app.station.operations.sessions import begin_session, cancel_session
from app.station.operations.store_check import check_store
from app.station.operations.users import SignedInUser
from app.station.workspace import Workspace
from app.window.open_parts.presenter import OpenPartsPresenter
from app.window.work.state import Phase
from inspection.imaging.frames import Frame
from inspection.sources import FolderSource, ImageSource, SourceState, WatchedFolderSource
from models.audit import AuditEntry
from models.errors import Conflict
from models.states import HumanVerdict, Role, SessionStatus
from models.tracking import remote_changes
from models.users import User
from tests.support.capture import capture
from tests.support.station import Station
from tests.support.user_robot import UserRobot

SERIAL = "PL-0042"


@pytest.fixture(scope="module")
def killed(trained_station: Station, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store whose station was killed over a part, after its AI result, and the session of that part."""
    station, store = trained_station, tmp_path_factory.mktemp("killed") / "store"
    shutil.copytree(station.store, store)
    arguments = [station.target_id, station.item_id, station.operator.user_id, str(station.parts.test), SERIAL]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.capture", str(store), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    session_id = process.stdout.readline().split()[0]
    process.kill()
    process.wait()
    process.stdout.close()
    return store, session_id


@pytest.fixture
def left_open(killed: tuple[Path, str], station: Station) -> str:
    """Session of the part of a killed station, in the store of the test; ask for it before ``workspace``."""
    store, session_id = killed
    shutil.rmtree(station.store)
    shutil.copytree(store, station.store)
    return session_id


def colleague(robot: UserRobot) -> SignedInUser:
    """An inspector who did not begin the part."""
    with robot.context.workspace.database.transaction() as session, remote_changes(session):
        record = User(username="colleague", role=Role.INSPECTOR, language="en", rev=99)
        session.add(record)
    return replace(robot.station.operator, user_id=record.id, username="colleague")


def sign_in(robot: UserRobot, user: SignedInUser | None = None) -> OpenPartsPresenter:
    robot.context.sign_in(user or robot.station.operator)
    robot.context.go_to_start()
    presenter = robot.window.presenter(OpenPartsPresenter)
    robot.until(lambda: presenter.state.parts or not presenter.state.waiting)
    return presenter


def test_the_part_of_a_killed_station_is_offered_after_sign_in(left_open: str, robot: UserRobot) -> None:
    presenter = sign_in(robot)
    assert robot.context.screen == "open_parts"
    assert [found.session_id for found in presenter.state.parts] == [left_open]
    assert SERIAL in robot.window.window.screens["open_parts"].parts.item(0).text()


def test_a_resumed_part_is_shown_with_its_stored_evidence(left_open: str, robot: UserRobot) -> None:
    sign_in(robot)
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    stored = part(robot.context.workspace, left_open)
    state, screen = robot.work.state, robot.window.window.screens["work"]
    assert robot.context.screen == "work"
    assert (state.session_id, state.part_code, state.verdict) == (left_open, SERIAL, stored.ai_verdict)
    assert state.worst.score == stored.score
    assert screen.stage.has_image
    assert screen.stage.has_heatmap


def test_a_resumed_part_is_completed_by_the_decision(left_open: str, robot: UserRobot) -> None:
    sign_in(robot)
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    decided = part(robot.context.workspace, left_open)
    assert decided.status is SessionStatus.COMPLETED
    assert decided.human_verdict is HumanVerdict.HOLD
    assert open_parts(robot.context.workspace) == []
    assert check_store(robot.station.store).consistent


def resume(robot: UserRobot, source: ImageSource | None = None) -> None:
    """Go on with the part that is offered, on the images of ``source``."""
    if source is not None:
        robot.window.set_source(source)
    sign_in(robot)
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)


@pytest.mark.usefixtures("left_open")
def test_the_heading_names_the_target_of_a_resumed_part(robot: UserRobot) -> None:
    resume(robot)
    state = robot.work.state
    assert state.target is not None
    title, subtitle = robot.window.window.screens["work"].heading()
    assert state.target.code in title
    assert state.items[0].name in subtitle


def test_a_resumed_part_has_one_place_among_the_last_parts(left_open: str, robot: UserRobot) -> None:
    resume(robot)
    robot.until(lambda: robot.work.recent)
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    assert [known.session_id for known in robot.work.recent] == [left_open]
    assert robot.work.recent[0].human_verdict is HumanVerdict.HOLD


@pytest.mark.usefixtures("left_open")
def test_the_first_image_of_a_folder_is_still_to_come_after_a_resumed_part(robot: UserRobot) -> None:
    folder = FolderSource(robot.station.parts.test)
    with folder:
        first = folder.read(1.0)
    assert first is not None
    resume(robot, FolderSource(robot.station.parts.test))
    robot.until(lambda: robot.work.state.has_frame)
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    assert robot.work.state.inspections[0].frame.path == first.path


@pytest.mark.usefixtures("left_open")
def test_an_image_that_appeared_over_a_resumed_part_is_the_next_one(robot: UserRobot, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    source = WatchedFolderSource(watched, settle=0.05)
    resume(robot, source)
    robot.until(lambda: source.state is SourceState.OPEN)
    image = next(path for path in sorted(robot.station.parts.test.rglob("*.png")))
    shutil.copy(image, watched / "appeared.png")
    robot.until(lambda: robot.work.state.has_frame)
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    assert robot.work.state.inspections[0].frame.path == watched / "appeared.png"


def test_a_discarded_part_is_cancelled_under_the_users_name(left_open: str, robot: UserRobot) -> None:
    sign_in(robot)
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: robot.context.screen == "home")
    workspace = robot.context.workspace
    assert part(workspace, left_open).status is SessionStatus.CANCELLED
    with workspace.database.read() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.subject_id == left_open).order_by(AuditEntry.sequence.desc())
        ).first()
        assert entry is not None
        assert (entry.action, entry.actor) == ("session.cancelled", "operator")


@pytest.mark.usefixtures("left_open")
def test_a_part_put_off_stays_in_the_navigation_list(robot: UserRobot) -> None:
    sign_in(robot)
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "home"
    robot.navigate("open_parts")
    assert robot.context.screen == "open_parts"


@pytest.mark.usefixtures("left_open")
def test_the_next_user_is_offered_what_the_one_before_put_off(robot: UserRobot) -> None:
    sign_in(robot)
    robot.key(Qt.Key.Key_Escape)
    robot.context.sign_out()
    sign_in(robot)
    assert robot.context.screen == "open_parts"


def test_a_colleague_is_not_offered_to_discard_the_part(left_open: str, robot: UserRobot) -> None:
    sign_in(robot, colleague(robot))
    screen = robot.window.window.screens["open_parts"]
    assert not robot.actions("open_parts").cancel.isEnabled()
    assert robot.actions("open_parts").resume.isEnabled()
    assert screen.refusal.isVisible()
    robot.key(Qt.Key.Key_D)
    robot.until(lambda: robot.window.workers.is_idle)
    assert part(robot.context.workspace, left_open).status is SessionStatus.AI_COMPLETED


@pytest.mark.usefixtures("left_open")
def test_a_supervisor_may_discard_the_part_of_another(robot: UserRobot) -> None:
    presenter = sign_in(robot, robot.station.engineer)
    assert presenter.state.may_discard
    assert not robot.window.window.screens["open_parts"].refusal.isVisible()


def test_a_part_that_a_colleague_resumed_is_offered_to_the_next_user(left_open: str, robot: UserRobot) -> None:
    sign_in(robot, colleague(robot))
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    robot.context.sign_out()
    robot.until(lambda: robot.window.workers.is_idle)
    presenter = sign_in(robot)
    assert robot.context.screen == "open_parts"
    assert [found.session_id for found in presenter.state.parts] == [left_open]


def test_a_part_that_is_resumed_is_not_offered_again(left_open: str, robot: UserRobot) -> None:
    presenter = sign_in(robot)
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.work.state.session_id == left_open)
    assert not presenter.state.waiting


def test_a_list_that_turns_out_empty_gives_way_to_the_home_screen(left_open: str, robot: UserRobot) -> None:
    cancel_session(robot.context.workspace, robot.station.operator, left_open)
    sign_in(robot)
    robot.until(lambda: robot.window.workers.is_idle)
    assert robot.context.screen == "home"


def test_a_part_that_has_ended_meanwhile_is_not_offered_any_more(left_open: str, robot: UserRobot) -> None:
    sign_in(robot)
    cancel_session(robot.context.workspace, robot.station.operator, left_open)
    robot.key(Qt.Key.Key_Return)
    robot.until(lambda: robot.context.screen == "home")
    assert not robot.window.presenter(OpenPartsPresenter).is_reachable


def test_nothing_is_offered_after_an_orderly_end(robot: UserRobot) -> None:
    robot.context.sign_in(robot.station.operator)
    robot.context.go_to_start()
    assert robot.context.screen == "home"
    assert "open_parts" not in robot.context.reachable_screens()


def test_a_reopened_heatmap_is_in_the_unit_of_the_score(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    inspection = capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
    reopened = reopen_part(workspace, inspection.session_id).inspections[0]
    before, after = inspection.outcome.heatmap, reopened.outcome.heatmap
    assert before is not None
    assert after is not None
    assert inspection.threshold is not None
    step = inspection.threshold / 128
    inside = before < inspection.threshold * 1.9
    assert abs(after - before)[inside].max() <= step
    assert (reopened.frame.pixels == frames[0].pixels).all()


def test_a_part_that_has_ended_cannot_be_reopened(workspace: Workspace, station: Station) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    cancel_session(workspace, station.operator, begun.session_id)
    with pytest.raises(Conflict) as refused:
        reopen_part(workspace, begun.session_id)
    assert refused.value.code == "session-ended"
