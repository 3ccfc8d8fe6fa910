from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt

from app.station.workspace import Workspace
from app.window.work.state import Phase
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources.base import SourceBase
from models.storage import write_atomically
from tests.support.user_robot import UserRobot

PERIOD_S = 0.04


class Belt(SourceBase):
    """A camera over a belt that runs until it is stopped; by the times of its frames it is never late."""

    def __init__(self, pixels: np.ndarray) -> None:
        super().__init__("usb:0")
        self._pixels = pixels
        self.stopped = threading.Event()
        self._shut = threading.Event()
        self._began = time.monotonic()
        self.still_from: int | None = None

    @property
    def live(self) -> bool:
        return True

    def describe(self) -> str:
        return "a belt"

    def close(self) -> None:
        self._shut.set()
        super().close()

    def read(self, timeout: float | None = None) -> Frame | None:
        if self._shut.wait(PERIOD_S):
            return None
        number = self._next_sequence()
        at = self._began + number * PERIOD_S
        if self.stopped.is_set():
            self.still_from = number if self.still_from is None else self.still_from
            return Frame(self._pixels, self.source_id, number, monotonic=at)
        # Frames the window leaves out do not bring the part back to where it was.
        return Frame(np.roll(self._pixels, 97 * number, axis=1), self.source_id, number, monotonic=at)


def test_a_part_that_was_refused_for_moving_is_inspected_once_it_rests(
    robot: UserRobot, workspace: Workspace, frames: list[Frame]
) -> None:
    workspace.settings = workspace.settings.model_copy(update={"gate": "usual"})
    belt = Belt(frames[0].pixels)
    robot.sign_in()
    robot.window.set_source(belt)
    robot.until(lambda: robot.home.state.may_start)
    robot.key(Qt.Key.Key_S)
    # A frame and the one before it, whichever of the camera's the window shows.
    shown: set[int] = set()

    def shows_two(first: int | None) -> bool:
        newest = robot.work.newest_frame
        if newest is not None and first is not None and newest.sequence >= first:
            shown.add(newest.sequence)
        return len(shown) > 1

    robot.until(lambda: shows_two(0))
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.banner_says("quality-moving"))
    shown.clear()
    belt.stopped.set()
    robot.until(lambda: shows_two(belt.still_from))
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)


def test_the_next_image_of_a_folder_can_be_captured_after_a_refused_one(
    robot: UserRobot, workspace: Workspace, frames: list[Frame], tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    blurred = cv2.GaussianBlur(frames[0].pixels, (0, 0), 8).astype(np.uint8)
    for name, pixels in (("1.png", blurred), ("2.png", frames[0].pixels)):
        write_atomically(folder / name, encode_png(pixels))
    workspace.settings = workspace.settings.model_copy(update={"gate": "usual"})
    robot.start_work(folder)
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.banner_says("quality-blurred"))
    robot.until(lambda: robot.work.state.phase is Phase.SCAN and robot.work.state.has_frame)
    robot.key(Qt.Key.Key_Space)
    robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
    assert not robot.banner_says("quality-blurred")
