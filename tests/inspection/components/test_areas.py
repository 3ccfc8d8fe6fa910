"""Regions of interest and ignored areas, and what they keep out of every finding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.anomaly import AnomalyModel
from inspection.components.areas import Rectangle, mask_of, polygon_points
from inspection.components.crop import CropParameters, crop_picture
from inspection.components.ignore import IgnoreParameters, ignored_area
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Placement
from inspection.imaging.resizing import resize_picture
from inspection.judging.judgement import Criteria
from inspection.pipeline import InspectionOutcome, PipelineDefinition, Runner, validate_definition
from models.errors import DoesNotFit
from models.results import BoundingBox
from models.states import Verdict
from resources.parts import draw_part

sides = st.floats(-30, 60)


def grey(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)


@settings(deadline=None)
@given(corners=st.lists(st.tuples(sides, sides), min_size=3, max_size=6))
def test_a_pixel_is_in_a_polygon_when_its_centre_is(corners: list[tuple[float, float]]) -> None:
    mask = mask_of([polygon_points(corners)], grey(25, 40))
    for y in range(0, 25, 4):
        for x in range(0, 40, 4):
            crossings = 0
            for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
                if (y1 <= y + 0.5) != (y2 <= y + 0.5):
                    crossings += x1 + (y + 0.5 - y1) * (x2 - x1) / (y2 - y1) < x + 0.5
            near = cv2.pointPolygonTest(np.array(corners, np.float32), (x + 0.5, y + 0.5), True)
            if abs(near) > 1e-3:
                assert mask[y, x] == (crossings % 2 == 1)


def test_a_rectangle_covers_whole_pixels_exactly() -> None:
    mask = mask_of([Rectangle(x=2, y=3, width=4, height=5).corners()], grey(10, 12))
    assert mask.sum() == 20
    assert mask[3:8, 2:6].all()


@settings(max_examples=50, deadline=None)
@given(x=st.floats(-20, 90), y=st.floats(-20, 90), width=st.floats(1, 80), height=st.floats(1, 80), first=st.booleans())
def test_a_crop_knows_where_its_pixels_lie(x: float, y: float, width: float, height: float, first: bool) -> None:
    picture = Picture.original(grey(70, 80))
    if first:
        picture = crop_picture(picture, CropParameters(rectangle=Rectangle(x=3, y=5, width=70, height=60)))
    parameters = CropParameters(rectangle=Rectangle(x=x, y=y, width=width, height=height))
    shape = picture.pixels.shape
    if x >= shape[1] or y >= shape[0] or x + width <= 0 or y + height <= 0:
        with pytest.raises(DoesNotFit) as caught:
            crop_picture(picture, parameters, "cut")
        assert (caught.value.code, caught.value.values["step"]) == ("crop-outside", "cut")
        return
    cut = crop_picture(picture, parameters)
    corner = cut.placement.to_original(np.array([[0.0, 0.0]]))[0].round().astype(int)
    rows, columns = cut.pixels.shape
    original = grey(70, 80)
    assert np.array_equal(cut.pixels, original[corner[1] : corner[1] + rows, corner[0] : corner[0] + columns])
    assert cut.valid_mask() is None


def test_what_lies_outside_the_polygon_of_a_crop_is_ignored() -> None:
    triangle = ((10, 10), (60, 10), (10, 60))
    cut = crop_picture(Picture.original(grey(100, 100)), CropParameters(polygon=triangle))
    assert cut.pixels.shape == (50, 50)
    valid = cut.valid_mask()
    assert valid is not None
    assert valid[2, 2]
    assert not valid[48, 48]
    assert valid.mean() == pytest.approx(0.5, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(
    scale=st.floats(0.3, 3),
    degrees=st.floats(-180, 180),
    right=st.floats(-50, 50),
    x=st.floats(0, 80),
    y=st.floats(0, 60),
)
def test_points_that_go_to_the_picture_come_back(
    scale: float, degrees: float, right: float, x: float, y: float
) -> None:
    cosine, sine = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    placement = Placement(100, 80).warped((cosine, -sine, right, sine, cosine, 7.0)).then(2.0, 0.5, 3.0, -4.0)
    point = np.array([[x, y]])
    assert placement.to_original(placement.from_original(point)) == pytest.approx(point, abs=1e-6)
    box = BoundingBox(x=x, y=y, width=20, height=20)
    back = placement.box_to_original(placement.box_from_original(box))
    assert back.x <= x + 1e-6
    assert back.y <= y + 1e-6
    assert back.x + back.width >= min(x + 20, 100) - 1e-6
    assert back.y + back.height >= min(y + 20, 80) - 1e-6
    assert placement.area_scale == pytest.approx(scale**2, rel=1e-6)


def test_ignored_areas_follow_the_picture_through_every_resize_or_crop() -> None:
    picture = Picture.original(grey(200, 300))
    areas = IgnoreParameters(rectangles=(Rectangle(x=100, y=50, width=50, height=40),))
    picture = picture.ignoring(picture.placement.mask_to_original(ignored_area(picture.pixels, areas), outside=False))
    small = resize_picture(picture, 150, 100)
    cut = crop_picture(small, CropParameters(rectangle=Rectangle(x=40, y=20, width=60, height=60)))
    valid = cut.valid_mask()
    assert valid is not None
    rows, columns = np.nonzero(~valid)
    assert (rows.min(), rows.max() + 1) == (5, 25)
    assert (columns.min(), columns.max() + 1) == (10, 35)
    assert cut.ignores(BoundingBox(x=105, y=55, width=30, height=30))
    assert cut.ignores(BoundingBox(x=130, y=60, width=35, height=10))
    assert not cut.ignores(BoundingBox(x=130, y=60, width=50, height=10))
    assert not picture.ignores(BoundingBox(x=0, y=0, width=90, height=90))


@pytest.mark.parametrize(
    ("x", "width", "ignored"),
    [(2, 4, False), (-4, 10, False), (-5, 10, True), (-20, 5, True), (38, 10, True), (36, 4, False), (8, 4, True)],
)
def test_a_box_half_ignored_or_half_beyond_the_edges_is_ignored(x: float, width: float, ignored: bool) -> None:
    picture = Picture.original(np.zeros((20, 40), np.uint8))
    box = BoundingBox(x=x, y=3, width=width, height=6)
    assert picture.ignores(box) is (ignored and x != 8)
    mask = np.zeros((20, 40), np.bool_)
    mask[:, 10:30] = True
    assert picture.ignoring(mask).ignores(box) is ignored


def test_a_margin_widens_the_ignored_area() -> None:
    square = Rectangle(x=40, y=40, width=20, height=20)
    wide = ignored_area(grey(100, 100), IgnoreParameters(rectangles=(square,), margin=5))
    assert wide[35, 50]
    assert not wide[34, 50]


def test_everything_outside_an_area_can_be_ignored_instead() -> None:
    square = Rectangle(x=40, y=40, width=20, height=20)
    plain = ignored_area(grey(100, 100), IgnoreParameters(rectangles=(square,)))
    turned = ignored_area(grey(100, 100), IgnoreParameters(rectangles=(square,), outside=True))
    assert plain.sum() == 400
    assert np.array_equal(turned, ~plain)


@pytest.mark.parametrize("wrong", [{}, {"polygons": [[(0, 0), (1, 1)]]}, {"margin": 5}])
def test_areas_need_corners(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IgnoreParameters.model_validate(wrong)
    with pytest.raises(ValidationError):
        CropParameters.model_validate({"polygon": [(0, 0), (1, float("nan")), (1, 1)]})
    with pytest.raises(ValidationError):
        CropParameters()


def test_an_ignored_area_gives_neither_score_nor_heat_nor_region(model: AnomalyModel) -> None:
    image = draw_part(800, defect="scratch").image
    steps: list[dict[str, object]] = [
        {"id": "ignore", "component": "ignore", "inputs": {"image": "input"}},
        {"id": "anomaly", "component": "anomaly", "inputs": {"image": "ignore"}},
    ]

    def run(criteria: Criteria | None = None, **area: int) -> InspectionOutcome:
        steps[0]["parameters"] = {"rectangles": [area], "margin": 2}
        runner = Runner(
            validate_definition(PipelineDefinition.parse({"name": "p", "steps": steps})),
            {"default": model},
        )
        return runner.run(image, criteria)

    alone = [{"id": "anomaly", "component": "anomaly", "inputs": {"image": "input"}}]
    runner = Runner(validate_definition(PipelineDefinition.parse({"name": "p", "steps": alone})), {"default": model})
    plain = runner.run(image)
    assert plain.heatmap is not None
    row, column = np.unravel_index(plain.heatmap.argmax(), plain.heatmap.shape)
    hottest = {"x": max(0, int(column) - 30), "y": max(0, int(row) - 30), "width": 60, "height": 60}
    without = run(**hottest)
    assert without.heatmap is not None
    assert without.heatmap[row, column] == 0
    score, rest = plain.result.anomaly_score or 0.0, without.result.anomaly_score or 0.0
    assert 0 < rest < score
    assert rest == pytest.approx(score * without.heatmap.max() / plain.heatmap.max(), rel=1e-5)
    between = Criteria(threshold=(rest + score) / 2)
    assert runner.run(image, between).result.overall_result is Verdict.NG
    ignoring = run(between, **hottest)
    assert (ignoring.result.overall_result, ignoring.result.detections) == (Verdict.OK, [])
    colder = np.unravel_index(plain.heatmap.argmin(), plain.heatmap.shape)
    elsewhere = run(x=int(colder[1]), y=int(colder[0]), width=1, height=1)
    assert elsewhere.result.anomaly_score == score
