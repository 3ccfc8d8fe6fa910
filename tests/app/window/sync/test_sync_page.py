"""The sync page and its chip follow the passes of the engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt

from app.window.presenting.messages import SyncStatusChanged
from app.window.sync.presenter import SyncPresenter
from app.window.widgets.times import local_time
from models.clock import utc_now
from models.errors import Unavailable, UserFacingError
from sync.station.engine import SyncProgress, SyncStatus
from tests.support.user_robot import UserRobot

TROUBLE = Unavailable("server-unreachable", server="http://127.0.0.1:9")


@pytest.fixture
def sync(robot: UserRobot) -> SyncPresenter:
    robot.window.show_screen("sync")
    robot.until(lambda: robot.window.workers.is_idle)
    return robot.window.presenter(SyncPresenter)


def trouble_shown(robot: UserRobot) -> str:
    text: str = robot.window.window.screens["sync"].values[-1].text()
    return text


def test_the_last_trouble_says_since_when_in_local_time(robot: UserRobot, sync: SyncPresenter) -> None:
    since = utc_now() - timedelta(days=1, hours=2)
    sync.show_status(SyncStatus(last_error=TROUBLE, failing_since=since))
    assert local_time(since) in trouble_shown(robot)
    english = local_time(since)
    robot.key(Qt.Key.Key_F2)
    assert local_time(since) != english
    assert local_time(since) in trouble_shown(robot)


def test_the_last_trouble_goes_when_a_pass_succeeds(robot: UserRobot, sync: SyncPresenter) -> None:
    nothing = trouble_shown(robot)
    sync.show_status(SyncStatus(last_error=TROUBLE, failing_since=utc_now()))
    assert trouble_shown(robot) != nothing
    sync.show_status(SyncStatus(online=True, last_success=utc_now()))
    assert trouble_shown(robot) == nothing


def test_a_notice_of_a_failed_pass_goes_when_a_later_one_succeeds(robot: UserRobot, sync: SyncPresenter) -> None:
    failed: list[UserFacingError | None] = []
    robot.key(Qt.Key.Key_S)
    robot.until(lambda: robot.context.notices.shown is not None)
    failed.append(robot.context.notices.shown.error)
    sync.show_status(SyncStatus(online=True, last_success=utc_now()))
    assert failed[0] is not None
    assert robot.context.notices.shown is None


def test_a_disk_nearly_full_is_a_hint_until_there_is_room(robot: UserRobot, sync: SyncPresenter) -> None:
    settings = robot.context.workspace.settings
    robot.context.workspace.settings = settings.model_copy(update={"disk_warning_mb": 10_000_000})
    sync.refresh()
    robot.until(lambda: robot.context.notices.shown is not None)
    assert robot.context.notices.shown.error.code == "disk-nearly-full"
    robot.context.workspace.settings = settings.model_copy(update={"disk_warning_mb": 0})
    sync.refresh()
    robot.until(lambda: robot.context.notices.shown is None)


def test_a_new_status_is_published_once(robot: UserRobot, sync: SyncPresenter) -> None:
    published: list[SyncStatus] = []
    robot.context.subscribe(SyncStatusChanged, lambda message: published.append(message.status))
    status = SyncStatus(online=True, waiting=3)
    sync.show_status(status)
    sync.show_status(status)
    assert published == [status]


def test_escape_leads_from_the_sync_page_back_to_the_start(robot: UserRobot) -> None:
    robot.sign_in()
    robot.key(Qt.Key.Key_F4)
    assert robot.context.screen == "sync"
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "home"


def test_a_pass_that_is_on_says_how_far_it_is(robot: UserRobot, sync: SyncPresenter) -> None:
    server = robot.window.window.screens["sync"].values[0]
    sync.show_status(SyncStatus(online=True, running=True, progress=SyncProgress("upload", 3, 40, 7, 90, 65.0)))
    before = server.text()
    sync.show_status(SyncStatus(online=True, running=True, progress=SyncProgress("upload", 4, 40, 7, 90, 65.0)))
    assert "3 / 40" in before
    assert "4 / 40" in server.text()


def test_a_pass_that_a_person_stopped_is_no_trouble(robot: UserRobot, sync: SyncPresenter) -> None:
    sync._pass_failed()(Unavailable("sync-stopped"))
    assert robot.context.notices.shown is None
    sync._pass_failed()(TROUBLE)
    assert robot.context.notices.shown is not None
