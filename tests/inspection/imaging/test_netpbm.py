"""Netpbm files are read with the range they declare."""

from __future__ import annotations

import numpy as np
import pytest

from inspection.imaging.files import decode_image
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from tests.support.image_files import (
    COLOUR,
    GREY,
    refused,
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P5\n32 24\n255\n" + GREY.tobytes(), GREY),
        (
            b"P5 # by a camera\n32 24\n# twelve bits\n4095\n" + (GREY.astype(np.uint16) << 4).astype(">u2").tobytes(),
            None,
        ),
        (b"P2\n32 24 255\n" + " ".join(map(str, GREY.ravel())).encode(), GREY),
        (b"P5\n32 24\n65535\n" + (GREY.astype(np.uint16) * 257).astype(">u2").tobytes(), GREY),
    ],
    ids=["bytes", "12 bits", "text", "16 bits"],
)
def test_a_pgm_is_read_with_the_range_it_declares(data: bytes, expected: Pixels | None) -> None:
    seen = decode_image(data, mode="as-stored", name="a.pgm")
    wanted = GREY if expected is None else expected
    assert np.abs(seen.astype(int) - wanted).max() <= (expected is None)


def test_a_pgm_of_few_values_is_spread_over_all() -> None:
    assert decode_image(b"P5\n3 1\n2\n\0\1\2", mode="grey").tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("data", [b"P4\n10 2\n\x80\x40\x01\x00", b"P1\n10 2\n1000000001 00000001 00"])
def test_a_pbm_has_black_ink(data: bytes) -> None:
    ink = decode_image(data, mode="grey") == 0
    assert np.argwhere(ink).tolist() == [[0, 0], [0, 9], [1, 7]]


def test_a_ppm_has_its_colours() -> None:
    data = b"P6 32 24 255\n" + COLOUR.tobytes()
    assert np.array_equal(decode_image(data), COLOUR)
    assert np.array_equal(decode_image(data, mode="grey"), cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("kind", ["P4", "P5", "P6", "P2"])
def test_a_netpbm_file_that_ends_early_is_called_truncated_or_damaged(kind: str) -> None:
    data = f"{kind}\n32 24\n".encode() + (b"" if kind == "P4" else b"255\n") + b"11 " * 10
    assert refused(data).code in {"image-truncated", "image-damaged"}
