from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from PySide6.QtCore import Qt, QTimer

from app.station.store_layout import DATABASE
from app.window.work.state import Phase
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.sources import FolderSource, LiveSource, SourceState
from models.errors import Unavailable
from models.states import HumanVerdict
from models.storage import write_atomically
from tests.support.full_disk import largest_file
from tests.support.user_robot import UserRobot, inspect_next


class PluggedCamera:
    """A camera whose cable the test holds: the one part that no test machine has."""

    source_id = "usb:7"
    missed = None

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.plugged = threading.Event()
        self.callers: set[threading.Thread] = set()
        self._opened = False

    @property
    def state(self) -> SourceState:
        if not self._opened:
            return SourceState.CLOSED
        return SourceState.OPEN if self.plugged.is_set() else SourceState.LOST

    @property
    def ended(self) -> bool:
        return False

    def describe(self) -> str:
        return "USB camera 7"

    def open(self) -> None:
        self.callers.add(threading.current_thread())
        if not self.plugged.is_set():
            raise Unavailable("camera-not-reachable", camera=self.describe())
        self._opened = True

    def read(self, timeout: float | None = None) -> Frame | None:
        self.callers.add(threading.current_thread())
        time.sleep(0.02)  # a camera's own pace
        return self._frame if self.plugged.is_set() else None

    def close(self) -> None:
        self._opened = False

    def __enter__(self) -> PluggedCamera:
        self.open()
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


def test_a_camera_that_vanishes_comes_back_by_itself(robot: UserRobot, frames: list[Frame]) -> None:
    camera = PluggedCamera(frames[0])
    robot.sign_in()
    robot.window.set_source(LiveSource(camera))
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    banner = robot.window.window.banner
    robot.until(banner.isVisible)
    assert not robot.work.state.has_frame
    camera.plugged.set()
    robot.until(lambda: robot.work.state.has_frame and not banner.isVisible())
    camera.plugged.clear()
    robot.until(lambda: robot.banner_says("window-camera-lost", source="USB camera 7"))
    assert not robot.actions("work").capture.isEnabled()
    camera.plugged.set()
    robot.until(lambda: robot.work.state.has_frame and not banner.isVisible())
    assert robot.actions("work").capture.isEnabled()
    # A camera may keep its caller waiting; the window must not be the one that waits.
    assert threading.main_thread() not in camera.callers


def test_a_missing_folder_is_read_on_the_next_try(robot: UserRobot, frames: list[Frame], tmp_path: Path) -> None:
    folder = tmp_path / "arriving"
    robot.sign_in()
    robot.window.set_source(FolderSource(folder))
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    banner = robot.window.window.banner
    robot.until(banner.isVisible)
    assert robot.banner_says("folder-missing", folder=folder)
    assert banner.retry.isVisible()
    folder.mkdir()
    write_atomically(folder / "a.png", encode_png(frames[0].pixels))
    robot.qtbot.mouseClick(banner.retry, Qt.MouseButton.LeftButton)
    robot.until(lambda: robot.work.state.has_frame and not banner.isVisible())


def test_a_decision_that_meets_a_locked_store_is_not_lost(
    robot: UserRobot,
) -> None:
    robot.start_work()
    inspect_next(robot)
    beats: list[Phase] = []
    heart = QTimer()
    heart.timeout.connect(lambda: beats.append(robot.work.state.phase))
    other = sqlite3.connect(robot.station.store / DATABASE, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        robot.key(Qt.Key.Key_H)
        heart.start(10)
        robot.until(lambda: robot.banner_says("store-locked"))
        assert robot.work.state.phase is Phase.DECIDE
    finally:
        other.rollback()
        other.close()
        heart.stop()
    # The window took other events while the store kept the decision waiting.
    assert beats.count(Phase.SAVING) > 1
    robot.key(Qt.Key.Key_H)
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
    assert robot.work.recent[0].human_verdict is HumanVerdict.HOLD
    assert not robot.window.window.banner.isVisible()


def test_a_capture_refused_by_a_full_disk_succeeds_once_there_is_room(robot: UserRobot) -> None:
    robot.start_work()
    with largest_file(20_000):
        robot.key(Qt.Key.Key_Space)
        robot.until(robot.window.window.banner.isVisible)
        assert robot.work.state.phase is Phase.SCAN
        assert robot.banner_says("disk-failing")
    assert robot.window.window.banner.retry.isVisible()
    robot.qtbot.mouseClick(robot.window.window.banner.retry, Qt.MouseButton.LeftButton)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    assert not robot.window.window.banner.isVisible()


def test_the_image_after_a_damaged_one_can_be_inspected(robot: UserRobot, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a-broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    good = next(path for path in sorted(robot.station.parts.test.rglob("*.png")))
    (folder / "b-good.png").write_bytes(good.read_bytes())
    robot.start_work(folder)
    assert robot.banner_says("image-damaged", name="a-broken.png")
    inspect_next(robot)


def test_home_is_one_key_away_from_a_source_that_is_not_there(robot: UserRobot, tmp_path: Path) -> None:
    robot.sign_in()
    robot.home.choose_source(str(tmp_path / "nothing"))
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    robot.until(lambda: robot.banner_says("folder-missing", folder=tmp_path / "nothing"))
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "home"
    assert not robot.window.window.banner.isVisible()


def test_trouble_of_the_work_is_reported_where_the_work_is(robot: UserRobot, tmp_path: Path) -> None:
    robot.sign_in()
    robot.home.choose_source(str(tmp_path / "nothing"))
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    robot.until(lambda: robot.banner_says("folder-missing", folder=tmp_path / "nothing"))
    robot.key(Qt.Key.Key_F4)
    assert not robot.window.window.banner.isVisible()
    robot.key(Qt.Key.Key_Escape)
    assert robot.context.screen == "work"
    assert robot.banner_says("folder-missing", folder=tmp_path / "nothing")
