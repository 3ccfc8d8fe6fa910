"""The picture that a pipeline shows: which it is, and how it is encoded."""

from __future__ import annotations

import numpy as np

from inspection.imaging.files import decode_image
from inspection.imaging.picture import Picture
from server.orchestration.shown import encoded, shown_step
from tests.support.walks import pipeline, resizes

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


def test_the_last_picture_that_no_step_takes_is_shown() -> None:
    assert shown_step(resizes({"a": "input", "b": "a", "c": "a", "d": "b"})) == "d"


def test_a_step_that_gives_no_picture_is_not_shown() -> None:
    assert shown_step(pipeline({"a": ("resize", "input"), "b": ("barcode", "input")})) == "a"


def test_nothing_is_shown_where_a_step_takes_every_picture() -> None:
    assert shown_step(pipeline({"a": ("resize", "input"), "b": ("barcode", "a")})) is None


def test_a_picture_is_shown_as_it_is() -> None:
    shown = encoded(Picture.original(PIXELS))
    assert (shown.width, shown.height) == (5, 4)
    assert np.array_equal(decode_image(shown.data), PIXELS)


def test_a_grey_picture_is_shown_in_colour() -> None:
    shown = encoded(Picture.original(PIXELS[..., 0]))
    assert np.array_equal(decode_image(shown.data, mode="as-stored")[..., 1], PIXELS[..., 0])
