from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt

from app.presenters.work_state import Phase
from app.workspace import Workspace
from inspection.frames import Frame
from inspection.images import encode_png, write_atomically
from inspection.opencv import cv2
from tests.app.ui.conftest import Desk


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
