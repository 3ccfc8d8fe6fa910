import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.components.areas import Rectangle
from inspection.components.ignore import IgnoreParameters, ignored_area
from inspection.components.measure import measure
from inspection.components.measure_parameters import MeasureParameters
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import resize_picture
from inspection.measuring.calibration import Calibration, from_checkerboard, from_length
from inspection.measuring.circles import fit_circle
from inspection.measuring.segmentation import otsu_threshold
from models.errors import DoesNotFit
from models.results import Measurement
from tests.support.errors import raised_in
from tests.support.shapes import box, disc, drawn, ellipse


def of(pixels: Pixels | Picture, **parameters: object) -> Measurement:
    picture = pixels if isinstance(pixels, Picture) else Picture.original(pixels)
    return measure(picture, MeasureParameters.model_validate(parameters), "step")


def value(pixels: Pixels | Picture, **parameters: object) -> float:
    found = of(pixels, **parameters)
    assert found.value is not None, found.reason
    assert found.geometry or found.value == 0
    return found.value


@settings(max_examples=12, deadline=None)
@given(width=st.floats(40, 90), degrees=st.floats(-40, 40), x=st.floats(78, 82), y=st.floats(78, 82))
def test_a_length_is_right_to_a_tenth_of_a_pixel_at_any_angle(width: float, degrees: float, x: float, y: float) -> None:
    pixels = drawn(160, 160, box(x, y, width, 60, degrees))
    along = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]) * 60
    line = (tuple(np.array([x, y]) - along), tuple(np.array([x, y]) + along))
    # An edge along the pixels is drawn where the sixteenth parts of a pixel allow: half of one off at each end.
    assert abs(value(pixels, line=line, line_width=15) - width) < 0.02 + 1 / 16


def test_a_length_stops_at_the_outermost_edges_despite_noise() -> None:
    pixels = drawn(100, 200, box(70, 50, 40, 60), box(130, 50, 20, 60), noise=4)
    line = ((10, 50), (190, 50))
    assert value(pixels, line=line, line_width=21) == pytest.approx(90, abs=0.1)
    assert value(pixels, line=line, line_width=21, tone="bright") == pytest.approx(30, abs=0.1)
    assert value(pixels, line=((10, 50), (100, 50)), line_width=21) == pytest.approx(40, abs=0.1)


@settings(max_examples=12, deadline=None)
@given(x=st.floats(58, 62), y=st.floats(58, 62), radius=st.floats(8, 45), bright=st.booleans())
def test_the_size_of_a_disc_is_finer_than_a_pixel(x: float, y: float, radius: float, bright: bool) -> None:
    tones = {"thing": 220, "ground": 50} if bright else {}
    pixels = drawn(120, 120, disc(x, y, radius), **tones)  # type: ignore[arg-type]  # numbers
    tone = "bright" if bright else "dark"
    # What blurs an edge makes a small disc smaller, by the variance of the blur over its radius.
    assert abs(value(pixels, quantity="diameter", tone=tone) - 2 * radius) < 0.03 + 0.3 / radius
    assert value(pixels, quantity="area", tone=tone) == pytest.approx(math.pi * radius**2, rel=1.5e-3)


def test_uneven_light_hardly_moves_the_size_of_a_disc() -> None:
    pixels = drawn(160, 160, disc(80, 80, 40), noise=3)
    shade = np.linspace(0.75, 1.2, 160)[None, :]
    shaded = np.clip(pixels * shade, 0, 255).astype(np.uint8)
    assert value(shaded, quantity="area") == pytest.approx(math.pi * 1600, rel=2e-3)
    assert value(shaded, quantity="diameter") == pytest.approx(80, abs=0.1)


def test_a_notch_or_a_burr_does_not_move_the_circle() -> None:
    clean = drawn(160, 160, disc(80, 80, 40))
    hurt = clean.copy()
    hurt[74:86, 30:60] = 200
    hurt[108:135, 76:84] = 40
    assert value(hurt, quantity="diameter") == pytest.approx(80, abs=0.1)
    assert abs(value(hurt, quantity="area") - value(clean, quantity="area")) > 100


def test_no_circle_is_found_where_there_is_none() -> None:
    assert of(drawn(160, 160, box(80, 80, 120, 20)), quantity="diameter").reason == "no-circle"
    assert fit_circle(np.random.default_rng(0).uniform(0, 100, (200, 2))) is None
    assert fit_circle(np.zeros((40, 2))) is None
    assert fit_circle(np.column_stack([np.arange(50.0), np.arange(50.0)])) is None


def test_pixels_need_not_be_square_in_millimetres() -> None:
    pixels = drawn(160, 200, ellipse(100, 80, 80, 40))
    scale = {"mm_per_pixel": 0.05, "mm_per_pixel_y": 0.1}
    assert value(pixels, quantity="diameter", **scale) == pytest.approx(8.0, abs=0.005)
    assert value(pixels, quantity="area", **scale) == pytest.approx(math.pi * 16, rel=1e-3)
    assert of(pixels, quantity="area", **scale).unit == "mm²"
    across = value(pixels, line=((5, 80), (195, 80)), line_width=1, **scale)
    down = value(pixels, line=((100, 5), (100, 155)), line_width=1, **scale)
    assert (across, down) == (pytest.approx(8.0, abs=0.01), pytest.approx(8.0, abs=0.01))


def test_a_picture_made_smaller_measures_the_same() -> None:
    pixels = drawn(200, 240, disc(120, 100, 60))
    small = resize_picture(Picture.original(pixels), 180, 100, "stretch")
    for quantity in ("area", "diameter"):
        assert value(small, quantity=quantity) == pytest.approx(value(pixels, quantity=quantity), rel=3e-3)


def test_things_are_counted_between_the_bounds_of_their_size() -> None:
    places = [(30, 30, 6), (80, 30, 9), (130, 40, 12), (40, 110, 9), (110, 110, 20)]
    pixels = drawn(160, 160, *(disc(*place) for place in places), noise=2)
    assert value(pixels, quantity="count") == 5
    assert value(pixels, quantity="count", least_size=200) == 4
    assert value(pixels, quantity="count", least_size=200, most_size=600) == 3
    assert value(pixels, quantity="count", region={"x": 0, "y": 0, "width": 160, "height": 60}) == 3
    areas = sum(math.pi * radius**2 for *_, radius in places)
    assert value(pixels, quantity="area", blobs="all", least_contrast=20) == pytest.approx(areas, rel=5e-3)
    assert value(pixels, quantity="area") == pytest.approx(math.pi * 400, rel=5e-3)


@pytest.mark.timeout(60)  # minutes, if every grain were compared with every other
def test_every_grain_of_a_picture_full_of_it_is_counted() -> None:
    grain = np.where(np.random.default_rng(0).random((700, 700)) < 0.1, 30, 220).astype(np.uint8)
    components = cv2.connectedComponents((grain < 100).astype(np.uint8), connectivity=8)[0] - 1
    assert value(grain, quantity="count") == components > 20_000


def test_holes_belong_to_a_thing_only_when_asked_for() -> None:
    ring = drawn(120, 120, lambda x, y: ((x - 60) ** 2 + (y - 60) ** 2 <= 2500) & ((x - 60) ** 2 + (y - 60) ** 2 > 400))
    assert value(ring, quantity="area") == pytest.approx(math.pi * 2100, rel=1e-3)
    assert value(ring, quantity="area", fill_holes=True) == pytest.approx(math.pi * 2500, rel=1e-3)


def test_what_lies_in_a_filled_hole_counts_once() -> None:
    def eye(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        distance = (x - 60) ** 2 + (y - 60) ** 2
        return ((distance <= 2500) & (distance > 1600)) | (distance <= 100)

    pixels = drawn(120, 120, eye)
    assert value(pixels, quantity="area", blobs="all") == pytest.approx(math.pi * 1000, rel=2e-3)
    assert value(pixels, quantity="area", blobs="all", fill_holes=True) == pytest.approx(math.pi * 2500, rel=1e-3)


def test_the_filled_area_of_a_thin_ring_is_as_fine_as_that_of_a_disc() -> None:
    ring = drawn(
        120, 120, lambda x, y: ((x - 60) ** 2 + (y - 60) ** 2 <= 2500) & ((x - 60) ** 2 + (y - 60) ** 2 > 1936)
    )
    assert value(ring, quantity="area", fill_holes=True) == pytest.approx(math.pi * 2500, rel=1e-3)


def test_a_line_drawn_far_beyond_the_picture_is_sampled_on_the_picture_alone() -> None:
    pixels = drawn(120, 120, box(60, 60, 40, 30))
    line = ((-100_000.0, 60.0), (100_000.0, 60.0))
    tracemalloc.start()
    assert value(pixels, quantity="length", line=line, line_width=500) == pytest.approx(40, abs=0.1)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert of(pixels, quantity="length", line=((-50.0, 500.0), (150.0, 500.0))).reason == "edges-not-found"
    assert of(pixels, quantity="length", line=((500.0, -50.0), (600.0, 50.0))).reason == "edges-not-found"


def test_nothing_is_measured_in_what_is_ignored() -> None:
    pixels = drawn(160, 160, disc(40, 40, 20), disc(110, 110, 30))
    picture = Picture.original(pixels)
    areas = IgnoreParameters(rectangles=(Rectangle(x=75, y=75, width=80, height=80),))
    without = picture.ignoring(ignored_area(pixels, areas))
    assert value(without, quantity="diameter") == pytest.approx(40, abs=0.05)
    assert value(without, quantity="count") == 1
    assert of(without, line=((70, 110), (150, 110))).reason == "edges-not-found"


@pytest.mark.parametrize("quantity", ["area", "diameter", "count", "length"])
def test_an_even_image_has_nothing_to_measure(quantity: str) -> None:
    pixels = np.random.default_rng(1).normal(128, 2, (80, 80)).round().astype(np.uint8)
    found = of(pixels, quantity=quantity, line=((5, 40), (75, 40)))
    if quantity == "count":
        assert found.value == 0
    else:
        assert found.value is None
        assert found.reason in {"nothing-found", "edges-not-found"}


def test_the_name_is_that_of_the_step_unless_given() -> None:
    pixels = drawn(40, 40, disc(20, 20, 10))
    assert of(pixels, quantity="area").name == "step"
    assert of(pixels, quantity="area", name="bore").name == "bore"


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "length"},
        {"quantity": "area", "tone": "any"},
        {"quantity": "area", "mm_per_pixel": 0},
        {"quantity": "area", "mm_per_pixel_y": 1},
        {"quantity": "area", "least_size": 5, "most_size": 4},
        {"quantity": "volume"},
        {"quantity": "area", "mm_per_pixel": 1, "reference": {"start": (0, 0), "end": (1, 0), "millimetres": 1}},
        {"quantity": "area", "reference": {"start": (0, 0), "end": (0, 0), "millimetres": 1}},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MeasureParameters.model_validate(wrong)


def test_a_reference_length_calibrates() -> None:
    pixels = drawn(100, 200, box(100, 50, 120, 40))
    reference = {"start": (0, 0), "end": (30, 40), "millimetres": 10}
    found = of(pixels, line=((10, 50), (190, 50)), reference=reference)
    assert (found.unit, found.value) == ("mm", pytest.approx(24, abs=0.02))
    with pytest.raises(ValueError, check=raised_in(from_length)):
        from_length((1, 1), (1, 1), 5)


def test_a_checkerboard_gives_millimetres_in_both_directions() -> None:
    side, columns, rows = 40, 9, 7
    board = np.kron(np.indices((rows, columns)).sum(axis=0) % 2, np.ones((side, side))) * 200 + 30
    canvas = np.pad(board, 60, constant_values=230).astype(np.uint8)
    turned = cv2.warpAffine(
        canvas, cv2.getRotationMatrix2D((240, 200), -3, 1.0), canvas.shape[::-1], flags=cv2.INTER_AREA, borderValue=230
    )
    squeezed = cv2.resize(turned, None, fx=1.0, fy=0.8, interpolation=cv2.INTER_AREA)
    found = from_checkerboard(squeezed.astype(np.uint8), columns - 1, rows - 1, 2.0)
    assert found.calibration.x == pytest.approx(0.05, rel=2e-3)
    assert found.calibration.y == pytest.approx(0.0625, rel=2e-3)
    # Pressed together by a fifth the board lies turned less where its rows are looked at.
    assert found.angle == pytest.approx(math.degrees(math.atan(0.8 * math.tan(math.radians(3)))), abs=0.7)
    assert found.residual < 0.02
    assert found.even


def test_a_picture_without_a_checkerboard_is_refused() -> None:
    with pytest.raises(DoesNotFit) as caught:
        from_checkerboard(np.full((100, 100), 128, np.uint8), 5, 5, 1.0)
    assert caught.value.code == "checkerboard-not-found"


def test_a_threshold_parts_two_heaps_of_grey_values_in_the_middle() -> None:
    grey = np.array([[10] * 20 + [12] * 20 + [200] * 10], np.uint8)
    level, contrast = otsu_threshold(grey, None)
    assert 12 < level < 200
    assert contrast == pytest.approx(189, abs=1)
    assert otsu_threshold(np.full((4, 4), 7, np.uint8), None) == (0.0, 0.0)
    assert Calibration().unit == "px"
