"""What the work screen reports of images of its source that cannot be inspected, or are seen in part."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.station.workspace import Workspace
from app.window.presenting.context import StationContext
from app.window.work.part_images import PartImages
from inspection.imaging.files import encode_png
from inspection.sources import make_source
from tests.support.doors import InlineRunner


def read_to_the_end(workspace: Workspace, folder: Path) -> StationContext:
    """Read every image of a folder as the work screen does."""
    context = StationContext(workspace, InlineRunner())
    context.notices.show_for("work")
    images, ended = PartImages(context), threading.Event()
    images.ended.connect(ended.set)
    images.frame_shown.connect(lambda _: images.advance())
    images.use(lambda: make_source(str(folder)))
    assert ended.wait(30)
    images.close()
    return context


def codes(context: StationContext) -> dict[str, str]:
    found = {}
    while (shown := context.notices.shown) is not None:
        found[shown.about] = shown.error.code
        context.notices.dismiss()
    return found


def test_images_that_cannot_be_inspected_are_named_together_at_the_end(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "c.png").write_bytes(b"")
    context = read_to_the_end(workspace, tmp_path)
    shown = context.notices.shown
    assert shown is not None
    assert (shown.error.code, shown.error.values) == ("window-images-unread", {"count": 2, "names": "b.heic, c.png"})


@pytest.mark.parametrize("transparent", [False, True])
def test_an_image_with_transparent_parts_is_reported_as_seen_on_white(
    workspace: Workspace, tmp_path: Path, transparent: bool
) -> None:
    rgba = np.full((8, 8, 4), 255, np.uint8)
    rgba[:4, :, 3] = 0 if transparent else 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert ("window-image-transparent" in codes(read_to_the_end(workspace, tmp_path)).values()) is transparent
