"""What is transparent is seen on white."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from inspection.imaging.files import decode, decode_image
from inspection.imaging.opencv import cv2
from inspection.imaging.value_range import ValueRange
from tests.support.image_files import (
    ALPHA,
    COLOUR,
    GREY,
    ON_WHITE,
    by_opencv,
    by_pillow,
    cut_out,
)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_what_lies_under_transparent_pixels_is_not_seen(kind: str) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    for under in (0, 77, 255):
        seen = decode(cut_out(under, kind, **options))
        assert np.array_equal(seen.pixels, ON_WHITE)
        assert seen.transparent


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    for kind in ("PNG", "TIFF"):
        rgba = np.full((8, 8, 4), (200, 100, 0, 128), np.uint8)
        seen = decode_image(by_pillow(Image.fromarray(rgba), kind))
        assert np.abs(seen[0, 0].astype(int) - (227, 177, 127)).max() <= 1


def test_what_is_transparent_is_seen_on_white() -> None:
    palette = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    palette.putpalette([9, 9, 9, 200, 0, 0])
    assert decode_image(by_pillow(palette, "PNG", transparency=0))[0, 0].tolist() == [255, 255, 255]
    grey = Image.fromarray(np.dstack([GREY, ALPHA]), "LA")
    assert np.array_equal(decode_image(by_pillow(grey, "PNG"), mode="grey"), np.where(ALPHA > 0, GREY, 255))


@pytest.mark.parametrize("mode", ["rgb", "grey", "as-stored"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_an_opaque_alpha_channel_changes_no_pixel(suffix: str, mode: Any) -> None:
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    bgr = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR)
    with_alpha = cv2.imencode(suffix, np.dstack([bgr, np.full_like(ALPHA, 255)]), options)[1].tobytes()
    without = cv2.imencode(suffix, bgr, options)[1].tobytes()
    seen = decode(with_alpha, mode=mode)
    assert np.array_equal(seen.pixels, decode_image(without, mode=mode))
    assert not seen.transparent


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cut_out_is_turned_upright_as_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    opaque = by_pillow(Image.fromarray(ON_WHITE), "PNG", exif=exif)
    assert np.array_equal(decode_image(cut_out(5, "PNG", exif=exif)), decode_image(opaque))


def test_a_deep_cut_out_is_seen_on_white() -> None:
    bgr = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR)
    rgba = np.dstack([bgr, ALPHA]).astype(np.uint16) * 257
    seen = decode(by_opencv(rgba, ".png"))
    assert np.array_equal(seen.pixels, ON_WHITE)
    assert (seen.transparent, seen.values) == (True, ValueRange.of_bits(16))


def test_a_gif_is_read_with_its_transparent_colour_on_white() -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    picture.putpalette([9, 9, 9, 200, 0, 0])
    seen = decode(by_pillow(picture, "GIF", transparency=0))
    assert seen.pixels[0].tolist() == [[255, 255, 255], [200, 0, 0]]
    assert seen.transparent
