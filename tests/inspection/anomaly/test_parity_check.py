"""How many images the parity check of a finished model scores."""

from __future__ import annotations

import pytest

from inspection.anomaly.export.probes import PROBES
from inspection.anomaly.training.parity_check import PARITY_IMAGES, images_to_check

LARGE = 5472 * 3648


@pytest.mark.parametrize(("most", "pixels", "count"), [(16, 256 * 256, 16), (16, 12_000_000, 4), (4, 256 * 256, 4)])
def test_as_many_images_are_scored_as_fit_the_pixels(most: int, pixels: int, count: int) -> None:
    assert images_to_check(most, pixels) == count


def test_two_images_are_scored_however_large_they_are() -> None:
    assert [images_to_check(most, 10 * LARGE) for most in (PROBES, PARITY_IMAGES)] == [2, 2]


def test_few_images_of_a_large_camera_are_scored() -> None:
    assert images_to_check(PROBES, LARGE) + images_to_check(PARITY_IMAGES, LARGE) == 4
