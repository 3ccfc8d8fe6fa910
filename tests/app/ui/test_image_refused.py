from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt

from app.presenters.work_state import Phase
from app.workspace import Workspace
from inspection.frames import Frame
from inspection.images import encode_png, write_atomically
from inspection.opencv import cv2
from inspection.sources.base import SourceBase
from tests.app.ui.conftest import Desk


class Belt(SourceBase):
    """A camera over a belt that runs until it is stopped."""

    def __init__(self, pixels: np.ndarray) -> None:
        super().__init__("usb:0")
        self._pixels = pixels
        self.stopped = threading.Event()
        self._shut = threading.Event()
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
        if self._shut.wait(0.04):
            return None
        number = self._next_sequence()
        if self.stopped.is_set():
            self.still_from = number if self.still_from is None else self.still_from
            return Frame(self._pixels, self.source_id, number)
        return Frame(np.roll(self._pixels, 60 * (number % 2 + 1), axis=1), self.source_id, number)


def test_a_part_still_moving_under_the_camera_is_refused_and_inspected_once_it_rests(
    desk: Desk, workspace: Workspace, frames: list[Frame]
) -> None:
    workspace.settings = workspace.settings.model_copy(update={"gate": "usual"})
    belt = Belt(frames[0].pixels)
    desk.sign_in()
    desk.window.set_source(belt)
    desk.until(lambda: desk.home.state.may_start)
    desk.key(Qt.Key.Key_F5)
    desk.until(lambda: desk.work.newest_frame is not None and desk.work.newest_frame.sequence > 2)
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: "was moving" in desk.window.window.banner.text)
    belt.stopped.set()

    def rests() -> bool:
        newest, still = desk.work.newest_frame, belt.still_from
        return newest is not None and still is not None and newest.sequence > still + 3

    desk.until(rests)
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: desk.work.state.phase is Phase.DECIDE)


def test_a_refused_image_is_told_and_the_next_one_of_the_folder_can_be_captured(
    desk: Desk, workspace: Workspace, frames: list[Frame], tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    blurred = cv2.GaussianBlur(frames[0].pixels, (0, 0), 8).astype(np.uint8)
    for name, pixels in (("1.png", blurred), ("2.png", frames[0].pixels)):
        write_atomically(folder / name, encode_png(pixels))
    workspace.settings = workspace.settings.model_copy(update={"gate": "usual"})
    desk.start_work(folder)
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: "out of focus" in desk.window.window.banner.text)
    desk.until(lambda: desk.work.state.phase is Phase.SCAN and desk.work.state.has_frame)
    desk.key(Qt.Key.Key_Space)
    desk.until(lambda: desk.work.state.phase is Phase.DECIDE)
    assert "out of focus" not in desk.window.window.banner.text
