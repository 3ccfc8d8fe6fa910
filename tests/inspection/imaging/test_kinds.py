"""Every kind of image is seen as a person sees it, or refused for a reason that has a code."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inspection.imaging.files import ImageLimits, decode, decode_image, image_size, read_image
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange
from models.errors import UnreadableImage
from tests.support.image_files import (
    COLOUR,
    GREY,
    by_opencv,
    by_pillow,
    cut_out,
    deep,
    pages,
    refused,
    tiff,
)


@pytest.mark.parametrize(
    ("name", "data", "format_name"),
    [
        ("a.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("a.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        ("a.jxl", b"\xff\x0a\0\0", "JPEG XL"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        ("a.tif", b"II+\0\x08\0\0\0", "BigTIFF"),
        ("a.exr", b"\x76\x2f\x31\x01", "OpenEXR"),
        ("a.dcm", bytes(128) + b"DICM", "DICOM"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\0", "camera raw"),
        ("a.NEF", b"II*\0\x08\0\0\0", "camera raw"),
        ("a.tga", b"anything", "Targa"),
    ],
)
def test_a_picture_of_a_kind_that_is_not_read_is_named(name: str, data: bytes, format_name: str) -> None:
    error = refused(data, name=name)
    assert (error.code, error.values["format"]) == ("image-not-supported", format_name)


def test_a_jpeg_of_12_bits_is_not_supported_but_not_damaged() -> None:
    data = bytearray(by_pillow(Image.fromarray(GREY), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = 0xC1, 12
    error = refused(bytes(data), name="a.jpg")
    assert (error.code, error.values["format"]) == ("image-not-supported", "JPEG of 12 bits")


def test_a_tiff_of_odd_bits_is_not_supported_but_not_damaged() -> None:
    assert refused(tiff(GREY, 24, 1)).code == "image-not-supported"


@pytest.mark.parametrize("bits", [2, 4])
def test_a_grey_tiff_of_few_bits_is_not_supported_but_not_damaged(bits: int) -> None:
    error = refused(tiff(GREY, bits, 1))
    assert (error.code, error.values["format"]) == ("image-not-supported", f"TIFF, grey of {bits} bits")


def test_a_tiff_in_cielab_is_not_supported_instead_of_seen_in_other_colours() -> None:
    error = refused(by_pillow(Image.new("LAB", (4, 3)), "TIFF"))
    assert (error.code, error.values["format"]) == ("image-not-supported", "TIFF, CIELAB")


def test_a_video_among_images_is_named_as_one(tmp_path: Path) -> None:
    path = tmp_path / "line.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom")
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert caught.value.code == "image-is-video"


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".pgm", ".dib", ".gif"])
def test_the_content_of_a_file_decides_instead_of_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(by_opencv(GREY, ".png"))
    assert np.array_equal(read_image(path, mode="grey"), GREY)


def test_a_gif_that_ends_early_is_called_truncated() -> None:
    data = by_pillow(Image.fromarray(COLOUR), "GIF")
    assert refused(data[: len(data) // 2]).code == "image-truncated"


def test_a_cmyk_tiff_is_read_as_a_viewer_shows_it() -> None:
    picture = Image.new("RGB", (32, 24), (200, 80, 30)).convert("CMYK")
    assert np.abs(decode_image(by_pillow(picture, "TIFF"))[0, 0].astype(int) - (200, 80, 30)).max() < 12


WHOLE = {
    "rgba.png": lambda: cut_out(5, "PNG"),
    "deep.png": lambda: deep(16),
    "deep.tif": lambda: deep(16, ".tif"),
    "float.tif": lambda: tiff(GREY.astype("<f4"), 32, 3),
    "pages.tif": lambda: pages("TIFF"),
    "rgba.tif": lambda: cut_out(5, "TIFF"),
    "rgba.webp": lambda: cut_out(5, "WEBP", lossless=True),
    "animated.webp": lambda: pages("WEBP"),
    "animated.png": lambda: pages("PNG"),
    "one.gif": lambda: by_pillow(Image.fromarray(COLOUR), "GIF"),
    "animated.gif": lambda: pages("GIF"),
    "two.mpo": lambda: pages("MPO"),
    "a.pgm": lambda: b"P5\n32 24\n255\n" + GREY.tobytes(),
    "text.pgm": lambda: b"P2\n32 24 255\n" + " ".join(map(str, GREY.ravel())).encode(),
    "a.pbm": lambda: b"P1\n10 2\n1000000001 00000001 00",
}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(WHOLE)), first=st.booleans())
def test_no_change_of_bytes_is_anything_but_an_image_or_a_reason(data: st.DataObject, name: str, first: bool) -> None:
    raw = bytearray(WHOLE[name]())
    for _ in range(data.draw(st.integers(0, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1) | st.integers(0, min(len(raw), 60) - 1))] = data.draw(
            st.integers(0, 255)
        )
    raw = raw[: len(raw) - data.draw(st.integers(0, 40))]
    reading = Reading(ValueRange(0, 1000), "first" if first else "refuse")
    reported = None
    try:
        seen = decode(bytes(raw), name=name, limits=ImageLimits(max_pixels=1_000_000), reading=reading)
    except UnreadableImage as error:
        reported = error.text("en").detail
    assert reported or seen.pixels.dtype == np.uint8


def test_the_bytes_that_are_read_follow_from_the_pixels() -> None:
    limits = ImageLimits()
    bitmap = by_opencv(np.zeros((4, 4, 3), np.uint8), ".bmp")
    header = image_size(bitmap)
    assert limits.bytes_of(header) == 64 * 1024**2
    large = bitmap[:18] + struct.pack("<ii", 5120, 5120) + bitmap[26:]
    assert limits.bytes_of(image_size(large)) > 3 * 5120 * 5120 > 64 * 1024**2


def test_an_uncompressed_image_of_many_pixels_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    path.write_bytes(by_opencv(np.zeros((4800, 4800, 3), np.uint8), ".bmp"))
    assert path.stat().st_size > 64 * 1024**2
    assert read_image(path, mode="grey").shape == (4800, 4800)


def test_a_large_file_of_few_pixels_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "padded.bmp"
    path.write_bytes(by_opencv(np.zeros((4, 4, 3), np.uint8), ".bmp"))
    with path.open("r+b") as file:
        file.truncate(1024**4 // 4)  # sparse
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert caught.value.code == "image-too-many-bytes"
