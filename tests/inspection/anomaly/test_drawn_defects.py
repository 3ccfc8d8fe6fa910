from dataclasses import replace

import numpy as np
import pytest

from inspection.anomaly.drawn_defects import DEFECTS, DrawnDefect, draw_defect, with_drawn_defect
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from resources.parts import draw_part


def part() -> Pixels:
    return draw_part(3).image


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.kind}-{defect.share}")
def test_a_drawn_defect_changes_about_its_share_of_the_image(defect: DrawnDefect) -> None:
    good = part()
    drawn = draw_defect(good, defect, np.random.default_rng(0))
    changed = np.abs(drawn.astype(int) - good).max(axis=-1) > 2
    assert 0 < changed.mean() < 3 * defect.share
    assert np.abs(drawn.astype(int) - good)[changed].mean() >= 5


def test_the_same_seed_draws_the_same_defect() -> None:
    first, again, other = (draw_defect(part(), DEFECTS[0], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_grey_image_stays_grey_under_a_drawn_defect() -> None:
    grey = np.ascontiguousarray(part()[..., 0])
    for defect in DEFECTS:
        drawn = draw_defect(grey, defect, np.random.default_rng(4))
        assert (drawn.shape, drawn.dtype) == (grey.shape, np.uint8)


def test_a_good_image_is_not_written_on_by_drawing() -> None:
    good = part()
    before = good.copy()
    draw_defect(good, replace(DEFECTS[0], kind="scratch"), np.random.default_rng(0))
    assert np.array_equal(good, before)


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.kind}-{defect.share}")
def test_a_defect_drawn_on_one_colour_changes_the_image(defect: DrawnDefect, grey: int) -> None:
    plain = np.full((96, 128, 3), grey, np.uint8)
    for seed in range(5):
        assert np.any(draw_defect(plain, defect, np.random.default_rng(seed)) != plain)


def masked() -> Picture:
    """Return a picture of which only a square of a tenth counts."""
    generator = np.random.default_rng(8)
    pixels = np.clip(120 + generator.normal(0, 10, (256, 256, 3)), 0, 255).astype(np.uint8)
    ignored = np.ones((256, 256), np.bool_)
    ignored[100:181, 20:101] = False
    return Picture.original(pixels).ignoring(ignored)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.kind}-{defect.share}")
def test_a_drawn_defect_lies_where_pixels_count(defect: DrawnDefect) -> None:
    good = masked()
    valid = good.valid_mask()
    assert valid is not None
    shares = []
    for seed in range(20):
        drawn = with_drawn_defect(good, defect, np.random.default_rng(seed))
        changed = (drawn.pixels != good.pixels).any(axis=2)
        shares.append(changed[valid].sum() / changed.sum())
    assert min(shares) > 0.25
    assert np.mean(shares) > 0.5


def test_a_defect_is_drawn_on_an_image_that_is_ignored_as_a_whole() -> None:
    good = masked()
    hidden = good.ignoring(np.ones((256, 256), np.bool_))
    drawn = with_drawn_defect(hidden, DEFECTS[0], np.random.default_rng(0))
    assert np.any(drawn.pixels != hidden.pixels)
