"""The range that a set of deep images uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import encode_png
from inspection.imaging.opencv import cv2
from inspection.imaging.set_range import SetRange, range_of_set
from inspection.imaging.value_range import ValueRange
from models.errors import InvalidInput


def deep(folder: Path, name: str, largest: int) -> Path:
    values = np.random.default_rng(0).integers(0, largest + 1, (16, 16)).astype(np.uint16)
    values[0, 0] = largest
    path = folder / name
    path.write_bytes(cv2.imencode(path.suffix, values)[1].tobytes())
    return path


def pgm(folder: Path, name: str, white: int) -> Path:
    path = folder / name
    path.write_bytes(f"P5\n2 1\n{white}\n".encode() + np.array([1, 2], ">u2").tobytes())
    return path


@pytest.mark.parametrize(
    ("largest", "bits"), [(200, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (9000, 14), (16384, 16)]
)
def test_the_largest_value_of_all_images_tells_the_depth(tmp_path: Path, largest: int, bits: int) -> None:
    paths = [deep(tmp_path, "a.png", 100), deep(tmp_path, "b.tif", largest)]
    assert range_of_set(paths) == SetRange(ValueRange.of_bits(bits), 2, largest)


def test_images_of_8_bits_tell_nothing_nor_do_files_that_cannot_be_read(tmp_path: Path) -> None:
    plain, junk = tmp_path / "a.png", tmp_path / "b.png"
    plain.write_bytes(encode_png(np.zeros((4, 4), np.uint8)))
    junk.write_bytes(plain.read_bytes()[:30])
    assert range_of_set([plain, junk, tmp_path / "none.png"]) is None


def test_a_given_range_goes_before_what_is_declared(tmp_path: Path) -> None:
    given = ValueRange.of_bits(14)
    assert range_of_set([pgm(tmp_path, "a.pgm", 4095)], given) == SetRange(given, 1)


def test_a_declared_range_holds_for_images_that_declare_none(tmp_path: Path) -> None:
    paths = [pgm(tmp_path, "a.pgm", 4095), deep(tmp_path, "b.png", 1000)]
    assert range_of_set(paths) == SetRange(ValueRange.of_bits(12), 2)


@pytest.mark.parametrize("other", ["declared", "beyond"])
def test_ranges_that_contradict_each_other_are_refused(tmp_path: Path, other: str) -> None:
    further = pgm(tmp_path, "b.pgm", 1023) if other == "declared" else deep(tmp_path, "b.png", 5000)
    with pytest.raises(InvalidInput) as caught:
        range_of_set([pgm(tmp_path, "a.pgm", 4095), further])
    assert caught.value.code == "images-depths-differ"


def test_height_maps_alone_have_no_range(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(cv2.imencode(".tif", np.ones((4, 4), np.float32))[1].tobytes())
    assert range_of_set([path]) == SetRange(None, 1)
