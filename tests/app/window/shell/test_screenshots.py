"""Pictures of the window, where there is room for them and where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.window.shell.station import Station
from inspection.imaging.files import read_image
from models.errors import Unavailable
from tests.support.full_disk import largest_file


def test_a_screenshot_is_the_window_as_it_is(window: Station, tmp_path: Path) -> None:
    window.window.resize(800, 600)
    pixels = read_image(window.grab_screen(tmp_path / "new" / "a.png"))
    ratio = window.window.devicePixelRatio()
    assert pixels.shape[:2] == (window.window.height() * ratio, window.window.width() * ratio)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_screenshot_that_finds_no_room_leaves_nothing(window: Station, tmp_path: Path) -> None:
    with largest_file(4096), pytest.raises(Unavailable) as reported:
        window.grab_screen(tmp_path / "pictures" / "a.png")
    assert reported.value.code == "file-disk-full"
    assert list((tmp_path / "pictures").iterdir()) == []


def test_screenshots_without_a_folder_to_go_to_are_reported(window: Station, tmp_path: Path) -> None:
    (tmp_path / "screenshots").write_text("in the way", encoding="utf-8")
    with pytest.raises(Unavailable) as reported:
        window.grab_all_screens(tmp_path / "screenshots")
    assert reported.value.code == "file-not-written"
