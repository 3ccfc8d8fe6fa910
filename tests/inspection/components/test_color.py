import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.components.color import ColorParameters, compare_colour
from inspection.imaging.colour import ciede2000, lab_of
from inspection.imaging.picture import Picture
from models.results import ColourDifference

# Sharma, Wu and Dalal 2005, table 1: L*, a*, b* of two colours and their difference.
PUBLISHED = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.02 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1
50 -1.1848 -84.8006 50 0 -82.7485 1
50 -0.9009 -85.5211 50 0 -82.7485 1
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.49 -0.001 50 -2.49 0.0009 7.1792
50 2.49 -0.001 50 -2.49 0.001 7.1792
50 2.49 -0.001 50 -2.49 0.0011 7.2195
50 2.49 -0.001 50 -2.49 0.0012 7.2195
50 -0.001 2.49 50 0.0009 -2.49 4.8045
50 -0.001 2.49 50 0.001 -2.49 4.8045
50 -0.001 2.49 50 0.0011 -2.49 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1
50 2.5 0 50 3.2972 0 1
50 2.5 0 50 1.8634 0.5757 1
50 2.5 0 50 3.2592 0.335 1
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.248 -4.962 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.694 23.0331 14.973 -42.5619 2.0373
36.4612 47.858 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.441 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.135 0.9033 -0.0636 -0.5514 0.9082
"""
PAIRS = np.array([[float(number) for number in line.split()] for line in PUBLISHED.split("\n") if line])

labs = st.tuples(st.floats(0, 100), st.floats(-100, 100), st.floats(-100, 100)).map(np.array)


def test_the_34_published_differences_come_out_to_the_last_digit() -> None:
    assert len(PAIRS) == 34
    assert np.abs(ciede2000(PAIRS[:, :3], PAIRS[:, 3:6]) - PAIRS[:, 6]).max() < 5e-5


@given(one=labs, other=labs)
def test_a_difference_of_colours_is_the_same_both_ways(one: np.ndarray, other: np.ndarray) -> None:  # type: ignore[type-arg]  # drawn
    assert ciede2000(one, other) == pytest.approx(ciede2000(other, one), abs=1e-6)
    assert ciede2000(one, one) == 0
    assert ciede2000(one, other) >= 0


def test_every_known_colour_has_its_place_in_cielab() -> None:
    known = {
        (255, 255, 255): (100, 0, 0),
        (0, 0, 0): (0, 0, 0),
        (255, 0, 0): (53.24, 80.09, 67.20),
        (0, 255, 0): (87.73, -86.18, 83.18),
        (0, 0, 255): (32.30, 79.19, -107.86),
        (119, 119, 119): (50.03, 0, 0),
    }
    for rgb, lab in known.items():
        assert lab_of(np.array(rgb)) == pytest.approx(lab, abs=0.03)


def of(pixels: np.ndarray, **parameters: object) -> ColourDifference:  # type: ignore[type-arg]  # drawn
    return compare_colour(Picture.original(pixels), ColorParameters.model_validate(parameters), "paint")


def test_an_area_of_the_reference_colour_does_not_differ() -> None:
    pixels = np.full((60, 80, 3), (200, 40, 40), np.uint8)
    pixels[:, 40:] = (40, 40, 200)
    same = of(pixels, srgb="#c82828", region={"x": 0, "y": 0, "width": 40, "height": 60})
    assert (same.name, same.mean, same.maximum) == ("paint", 0, 0)
    assert same.lab == pytest.approx(tuple(lab_of(np.array([200, 40, 40]))))
    half = of(pixels, srgb="#c82828", smoothing=0)
    assert half.maximum == pytest.approx(float(ciede2000(*lab_of(np.array([[200, 40, 40], [40, 40, 200]])))))
    assert half.mean == pytest.approx(half.maximum / 2)


def test_smoothing_calms_the_noise_of_a_colour() -> None:
    pixels = np.full((60, 80, 3), (200, 40, 40), np.uint8)
    pixels[:, 40:] = (40, 40, 200)
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    left = [(0, 0), (40, 0), (40, 60), (0, 60)]
    rough, calm = (of(noisy, srgb="#c82828", polygon=left, smoothing=value) for value in (0, 3))
    assert calm.maximum is not None
    assert rough.maximum is not None
    assert calm.maximum < 2
    assert rough.maximum > 4


def test_a_small_stain_shows_in_the_maximum_not_in_the_mean() -> None:
    pixels = np.full((100, 100, 3), (90, 140, 90), np.uint8)
    pixels[50:55, 50:55] = (140, 90, 90)
    found = of(pixels, srgb="#5a8c5a")
    assert found.mean is not None
    assert found.maximum is not None
    assert found.mean < 0.2
    assert found.maximum > 20


def test_what_is_ignored_has_no_colour() -> None:
    pixels = np.full((40, 40), 100, np.uint8)
    pixels[:, 20:] = 250
    ignored = np.zeros((40, 40), np.bool_)
    ignored[:, 20:] = True
    parameters = ColorParameters(srgb="#646464")
    assert compare_colour(Picture.original(pixels).ignoring(ignored), parameters).maximum == 0
    nothing = compare_colour(Picture.original(pixels).ignoring(~ignored | ignored), parameters)
    assert (nothing.mean, nothing.maximum, nothing.lab) == (None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"lab": (50, 0, 0), "srgb": "#000000"},
        {"srgb": "red"},
        {"lab": (101, 0, 0)},
        {"srgb": "#000000", "region": {"x": 0, "y": 0, "width": 1, "height": 1}, "polygon": [(0, 0), (1, 0), (1, 1)]},
    ],
)
def test_a_colour_needs_one_reference_with_at_most_one_area(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ColorParameters.model_validate(wrong)
