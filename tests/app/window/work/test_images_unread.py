"""What the work screen reports of images of its source that cannot be inspected, or are seen in part."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.station.workspace import Workspace
from app.window.presenting.context import StationContext
from app.window.presenting.names import MOST_NAMES
from app.window.work.part_images import PartImages
from app.window.work.unread_images import UnreadImages
from inspection.imaging.files import encode_png
from inspection.sources import VideoSource, frames, make_source
from models.errors import UnreadableImage
from tests.support.doors import InlineRunner
from tests.support.user_robot import UserRobot
from tests.support.videos import COUNT, damage, video


def read_to_the_end(workspace: Workspace, spec: Path) -> StationContext:
    """Read every image of a folder or video as the work screen does."""
    context = StationContext(workspace, InlineRunner())
    context.notices.show_for("work")
    images, ended = PartImages(context), threading.Event()
    images.ended.connect(ended.set)
    images.frame_shown.connect(images.use_up)
    images.use(lambda: make_source(str(spec)))
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


def test_undecoded_frames_of_a_video_are_counted_as_often_as_they_are_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = damage(video(tmp_path / "a.mp4", "mp4v"))
    with VideoSource(path) as source:
        read = len(list(frames(source)))
        name = source.describe()
    shown = read_to_the_end(workspace, path).notices.shown
    assert shown is not None
    assert COUNT - read > 1
    assert (shown.error.code, shown.error.values) == ("window-images-unread", {"count": COUNT - read, "names": name})


def test_a_source_without_an_end_keeps_a_count_with_a_few_names() -> None:
    unread = UnreadImages()
    for number in range(1000):
        unread.add(UnreadableImage("image-damaged", name=f"{number}.png"))
    found = unread.to_error()
    assert found is not None
    assert found.values == {"count": 1000, "names": ", ".join(f"{number}.png" for number in range(MOST_NAMES)) + ", …"}
    assert len(unread._names) == MOST_NAMES + 1


def test_work_that_is_left_early_reports_what_was_not_inspected(robot: UserRobot, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "a.png").write_bytes(b"")
    for name in ("b.png", "c.png"):
        (parts / name).write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    robot.start_work(parts)
    robot.context.notices.dismiss()
    robot.work.leave()
    assert robot.context.screen == "home"
    assert robot.banner_says("window-images-unread", count=1, names="a.png")


def test_images_that_fail_one_after_the_other_are_all_named(robot: UserRobot, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name in ("a.png", "b.png"):
        (parts / name).write_bytes(b"")
    (parts / "c.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    robot.start_work(parts)
    shown = robot.context.notices.shown
    assert shown is not None
    assert (shown.error.code, shown.error.values["names"]) == ("window-images-unread-in-row", "a.png, b.png")


def test_images_that_failed_before_one_was_shown_are_not_named_again(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("a.png", "c.png", "d.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "b.png").write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    context = read_to_the_end(workspace, tmp_path)
    found = {}
    while (shown := context.notices.shown) is not None:
        found[shown.about] = shown.error.values.get("names")
        context.notices.dismiss()
    assert found["image"] == "c.png, d.png"
