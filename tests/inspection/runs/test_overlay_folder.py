"""Where the overlays of frames go, and where they may not."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import read_image
from inspection.imaging.frames import Frame
from inspection.runs.overlay_folder import OverlayFolder
from models.errors import InvalidInput

DRAWN = np.zeros((4, 4, 3), np.uint8)


def frame(path: Path | None, sequence: int = 0, source: str = "watch:in") -> Frame:
    captured = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
    return Frame(DRAWN, source, sequence, captured_at=captured, path=path)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


@pytest.mark.parametrize("out", ["in", "in/sub", "in/none/deeper", "in/../in/sub", "link", "link/new"])
def test_a_folder_that_is_that_of_the_images_or_lies_in_it_is_refused(tmp_path: Path, out: str) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "in" / "sub", target_is_directory=True)
    with pytest.raises(InvalidInput) as caught:
        OverlayFolder(tmp_path / out, tmp_path / "in")
    assert caught.value.code == "overlay-among-images"
    assert caught.value.values["out"] == str(tmp_path / out)


@pytest.mark.parametrize("out", ["out", "inside", "in/../out", "."])
def test_any_other_folder_is_taken(tmp_path: Path, out: str) -> None:
    (tmp_path / "in").mkdir()
    OverlayFolder(tmp_path / out, tmp_path / "in")


def test_an_overlay_lies_in_the_sub_folder_of_its_image_under_its_name(tmp_path: Path) -> None:
    overlays = OverlayFolder(tmp_path / "out", tmp_path / "in")
    for name in ("a.png", "lot/a.JPG", "a.bmp"):
        overlays.write(frame(tmp_path / "in" / name), DRAWN)
    assert names(tmp_path / "out") == ["a-2.png", "a.png", "lot/a.png"]


def test_overlays_above_the_images_never_get_among_them(tmp_path: Path) -> None:
    overlays = OverlayFolder(tmp_path, tmp_path / "in")
    for name in ("in/a.png", "b.png"):
        overlays.write(frame(tmp_path / "in" / name), DRAWN)
    assert names(tmp_path) == ["a.png", "b.png"]


def test_a_frame_is_named_by_its_file_or_time_with_its_number(tmp_path: Path) -> None:
    overlays = OverlayFolder(tmp_path)
    overlays.write(frame(None, 12, "usb:0"), DRAWN)
    overlays.write(frame(Path("clips/a.mp4"), 3, "video:a.mp4"), DRAWN)
    overlays.write(frame(Path("parts/b.png"), 0, "folder:b.png"), DRAWN)
    assert names(tmp_path) == ["20260304T050607.000089Z-000012.png", "a-000003.png", "b.png"]


def test_overlays_of_an_earlier_run_are_kept(tmp_path: Path) -> None:
    for run in range(2):
        overlays = OverlayFolder(tmp_path / "out", tmp_path / "in")
        for again in range(3):
            overlays.write(frame(tmp_path / "in" / "latest.png"), np.full((4, 4, 3), 10 * run + again, np.uint8))
    files = ["latest.png", *(f"latest-{number}.png" for number in range(2, 7))]
    assert [int(read_image(tmp_path / "out" / name)[0, 0, 0]) for name in files] == [0, 1, 2, 10, 11, 12]


def test_an_overlay_of_a_name_as_long_as_the_system_allows_is_cut_for_its_number(tmp_path: Path) -> None:
    overlays = OverlayFolder(tmp_path / "out", tmp_path / "in")
    name = "製品" * 41 + "番ab.bmp"
    assert len(name.encode()) == 255
    for _ in range(2):
        overlays.write(frame(tmp_path / "in" / name), DRAWN)
    assert names(tmp_path / "out") == sorted([f"{name[:-4]}.png", f"{name[:-6]}-2.png"])
