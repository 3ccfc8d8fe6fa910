"""Linked folders are followed, each folder once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.datasets import good_images, image_files
from inspection.imaging.files import read_image
from inspection.imaging.frames import Frame
from inspection.runs.named_files import files_to_inspect
from inspection.runs.overlay_folder import OverlayFolder
from inspection.sources import WatchedFolderSource
from inspection.sources.listing import list_images
from models.errors import InvalidInput, UnreadableImage
from models.storage import write_atomically
from tests.support.images import png

Names = Callable[[Path], list[str]]


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    return folder


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target, target_is_directory=True)


def write_overlay(folder: Path, image: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    OverlayFolder(folder).write(Frame(pixels, "folder:in", 0, path=image), pixels)


def by_search(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in image_files(folder)]


def by_watching(folder: Path) -> list[str]:
    return sorted(list_images(folder).files)


DOORS = pytest.mark.parametrize("names", [by_search, by_watching])


@DOORS
def test_a_linked_folder_is_read_beside_a_real_one(tmp_path: Path, names: Names) -> None:
    fill(tmp_path, "good/day1/a.png", "nas/day2/b.png", "nas/day2/deep/c.png")
    link(tmp_path / "good" / "day2", Path("../nas/day2"))
    assert names(tmp_path / "good") == ["day1/a.png", "day2/b.png", "day2/deep/c.png"]


@DOORS
def test_a_folder_that_is_linked_twice_is_read_once_under_its_own_name(tmp_path: Path, names: Names) -> None:
    fill(tmp_path, "z/a.png")
    for name in ("a", "b/c"):
        link(tmp_path / name, tmp_path / "z")
    assert names(tmp_path) == ["z/a.png"]


@DOORS
def test_a_folder_outside_is_read_under_the_first_of_its_links(tmp_path: Path, names: Names) -> None:
    fill(tmp_path, "out/a.png", "in/b.png")
    for name in ("y", "x"):
        link(tmp_path / "in" / name, tmp_path / "out")
    assert names(tmp_path / "in") == ["b.png", "x/a.png"]


@DOORS
def test_links_in_a_circle_end(tmp_path: Path, names: Names) -> None:
    fill(tmp_path, "a/b.png", "c/d.png")
    link(tmp_path / "a" / "up", tmp_path)
    link(tmp_path / "a" / "self", tmp_path / "a" / "self")
    link(tmp_path / "c" / "a", tmp_path / "a")
    found = names(tmp_path)
    assert [name for name in found if name.endswith(".png")] == ["a/b.png", "c/d.png"]


@DOORS
def test_a_folder_that_is_itself_a_link_is_read(tmp_path: Path, names: Names) -> None:
    fill(tmp_path, "real/a.png")
    link(tmp_path / "linked", tmp_path / "real")
    assert names(tmp_path / "linked") == ["a.png"]


@DOORS
@pytest.mark.parametrize("folder", [".thumbnails", "@eaDir", "__MACOSX", "lost+found"])
def test_folders_that_are_hidden_or_of_the_system_hold_no_parts(tmp_path: Path, names: Names, folder: str) -> None:
    fill(tmp_path, "a.png", f"{folder}/b.png")
    assert names(tmp_path) == ["a.png"]


def test_the_name_of_a_link_is_the_label_of_its_images(tmp_path: Path) -> None:
    fill(tmp_path, "nas/x/a.png", "set/good/b.png")
    link(tmp_path / "set" / "scratch", tmp_path / "nas" / "x")
    found = good_images(tmp_path / "set")
    assert ([path.name for path in found.files], found.left_out) == (["b.png"], {"scratch": 1})


@pytest.mark.parametrize("name", ["day2", "b.png"])
def test_a_link_that_leads_nowhere_is_named_by_its_target(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "a.png")
    link(tmp_path / name, tmp_path / "not connected")
    assert by_search(tmp_path) == sorted(["a.png", name])
    with pytest.raises(UnreadableImage) as caught:
        read_image(tmp_path / name)
    assert caught.value.code == "image-link-broken"
    assert caught.value.values == {"name": name, "target": str(tmp_path / "not connected")}


def test_a_watched_folder_reports_a_link_to_a_folder_that_is_not_connected_once(tmp_path: Path) -> None:
    link(tmp_path / "day2", tmp_path / "not connected")
    with WatchedFolderSource(tmp_path) as source:
        with pytest.raises(UnreadableImage) as caught:
            source.read(timeout=5)
        assert (caught.value.code, caught.value.values["name"]) == ("image-link-broken", "day2")
        assert source.read(timeout=0.3) is None


def test_images_that_arrive_behind_a_link_are_watched(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    link(tmp_path / "in" / "day", tmp_path / "nas")
    with WatchedFolderSource(tmp_path / "in", settle=0.0) as source:
        write_atomically(tmp_path / "nas" / "a.png", png())
        frame = source.read(timeout=5)
    assert frame is not None
    assert (frame.path, frame.label) == (tmp_path / "in" / "day" / "a.png", "day")


def test_overlays_of_an_earlier_run_behind_a_link_are_no_parts(tmp_path: Path) -> None:
    fill(tmp_path, "nas/day/a.png", "in/b.png")
    write_overlay(tmp_path / "nas" / "day" / "checked", tmp_path / "nas" / "day" / "a.png")
    link(tmp_path / "in" / "day", tmp_path / "nas" / "day")
    found = files_to_inspect([tmp_path / "in"], tmp_path / "nas" / "day" / "checked")
    assert [file.name.as_posix() for file in found] == ["b.png", "day/a.png"]


@pytest.mark.parametrize("out", ["in/scratch", "in", "."])
def test_parts_in_the_folder_for_overlays_are_inspected(tmp_path: Path, out: str) -> None:
    fill(tmp_path, "in/a.png", "in/scratch/b.png", "in/scratch/deep/c.jpg")
    write_overlay(tmp_path / "in" / "scratch", tmp_path / "d.png")
    found = files_to_inspect([tmp_path / "in"], tmp_path / out)
    assert [file.name.as_posix() for file in found] == ["a.png", "scratch/b.png", "scratch/deep/c.jpg"]


@pytest.mark.parametrize("given", ["", "self.png"])
def test_a_link_to_itself_leaves_the_names_of_overlays_free(tmp_path: Path, given: str) -> None:
    fill(tmp_path, "in/a.png")
    link(tmp_path / "in" / "self.png", Path("self.png"))
    link(tmp_path / "out" / "self.png", Path("self.png"))
    files = files_to_inspect([tmp_path / "in" / given], tmp_path / "out")
    assert OverlayFolder.for_files(tmp_path / "out", files).folder == tmp_path / "out"


def test_a_link_that_leads_nowhere_costs_only_itself(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.png")
    link(tmp_path / "day", tmp_path / "not connected")
    found = files_to_inspect([tmp_path / "day", tmp_path / "in"])
    assert [file.path for file in found] == [tmp_path / "day", tmp_path / "in" / "a.png"]


def test_overlays_in_a_folder_that_is_linked_into_the_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "nas" / "day").mkdir(parents=True)
    link(tmp_path / "in" / "day", tmp_path / "nas" / "day")
    with pytest.raises(InvalidInput) as caught:
        OverlayFolder(tmp_path / "nas" / "day" / "checked", tmp_path / "in")
    assert caught.value.code == "overlay-among-images"


@pytest.mark.skipif(os.name != "posix", reason="pipes have names on POSIX systems")
def test_a_pipe_with_the_name_of_a_picture_is_listed_as_one(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    assert by_search(tmp_path) == ["a.png", "b.png"]
    with pytest.raises(UnreadableImage) as caught:
        read_image(tmp_path / "b.png")
    assert caught.value.code == "image-not-readable"


def test_pictures_that_are_not_read_are_listed_like_videos(tmp_path: Path) -> None:
    names = ["a.png", "b.HEIC", "c.jfif", "d.pgm", "e.mp4", "f.CR2", "g.gif", "h.WMV", "i.m2ts", "j.qoi", "k.rgbe"]
    fill(tmp_path, *names, "notes.txt", "labels.json", "Thumbs.db")
    assert by_search(tmp_path) == by_watching(tmp_path) == names


@pytest.mark.parametrize(
    ("name", "code"), [("a.heic", "image-not-supported"), ("a.mp4", "image-is-video"), ("a.cr2", "image-not-supported")]
)
def test_a_watched_folder_reports_what_arrives_but_is_not_read(tmp_path: Path, name: str, code: str) -> None:
    with WatchedFolderSource(tmp_path, settle=0.0, patience=0.0) as source:
        write_atomically(tmp_path / name, b"\0\0\0\x18ftypisom")
        with pytest.raises(UnreadableImage) as caught:
            source.read(timeout=5)
    assert (caught.value.code, caught.value.values["name"]) == (code, name)


@pytest.mark.parametrize("name", ["part1", "a.png.bak", "a.PNG~", "a.jpg_", "a.tmp"])
def test_a_picture_whose_ending_does_not_tell_is_found_by_its_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(png())
    assert by_search(tmp_path) == [name]


@pytest.mark.parametrize("text", [b"BMW, part 7\n", b"P5 notes\n", b"", b"%PDF-1.7"])
def test_a_text_that_begins_like_a_picture_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "notes").write_bytes(text)
    assert by_search(tmp_path) == ["a.png"]
