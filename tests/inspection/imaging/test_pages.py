"""Files of several pages are refused, or give their first page."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from inspection.imaging.files import decode_image, image_size
from inspection.imaging.reading import Reading
from tests.support.image_files import (
    COLOUR,
    GREY,
    by_pillow,
    pages,
    refused,
    tiff,
)


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "MPO"])
def test_a_file_of_several_pages_is_refused_with_their_number(kind: str) -> None:
    error = refused(pages(kind))
    assert (error.code, error.values["pages"]) == ("image-several-pages", 3)


@pytest.mark.parametrize(
    "one", [b"P5\n3 1\n255\n\x10\x20\x30", b"P4\n10 1\n\x80\x40", b"P6 1 1 65535\n\1\2\3\4\5\6"], ids=["P5", "P4", "P6"]
)
def test_several_images_in_a_netpbm_file_are_refused_with_their_number(one: bytes) -> None:
    error = refused(one * 3)
    assert (error.code, error.values["pages"]) == ("image-several-pages", 3)
    seen = decode_image(one + one, reading=Reading(pages="first"))
    assert np.array_equal(seen, decode_image(one + b"P5"))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "MPO"])
def test_the_first_page_is_taken_where_that_is_asked_for(kind: str) -> None:
    seen = decode_image(pages(kind), reading=Reading(pages="first"))
    assert np.abs(seen.astype(int) - (40, 90, 20)).max() < 12


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "JPEG"])
def test_a_file_of_one_page_is_one(kind: str) -> None:
    assert image_size(by_pillow(Image.fromarray(COLOUR), kind)).pages == 1


def test_the_smaller_copies_in_a_pyramid_are_no_pages() -> None:
    data = tiff(GREY, 8, 1)
    for kind, expected in ((1, 1), (0, 2)):
        # The next directory follows the first; a 1 says that it is of reduced resolution.
        entries = struct.pack("<HHIIHHIIHHII", 254, 4, 1, kind, 256, 4, 1, 16, 257, 4, 1, 12)
        further = struct.pack("<H", 3) + entries + bytes(4)
        assert image_size(data[:-4] + struct.pack("<I", len(data)) + further).pages == expected


def test_directories_in_a_circle_end() -> None:
    data = tiff(GREY, 8, 1)
    (start,) = struct.unpack_from("<I", data, 4)
    assert image_size(data[:-4] + struct.pack("<I", start)).pages == 2
