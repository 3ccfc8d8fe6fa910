import tracemalloc
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from inspection.anomaly.regions import anomalous_regions
from inspection.components import AnomalyFinding, Picture, component, components
from inspection.components.filter import FILTER, FilterParameters, filter_pixels
from inspection.components.overlay import draw_overlay
from inspection.components.registry import StepContext
from inspection.imaging.colour import lab_of
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.placement import Placement
from inspection.imaging.resizing import ResizeMode, resize_picture
from inspection.judging.criteria import Criteria
from inspection.pipeline import ready_definition, ready_names
from models.errors import NotFound
from models.results import CodeReading, ColourDifference, Measurement, Point
from tests.support.errors import raised_in


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_registry_describes_every_component_with_its_parameters() -> None:
    assert list(components()) == [
        "resize", "crop", "ignore", "align", "anomaly", "ai_detection", "barcode", "measure", "color", "filter",
    ]  # fmt: skip
    for name, found in components().items():
        reported = found.describe()
        assert reported["id"] == name
        assert reported["description"]
        for field in reported["parameters"]["properties"].values():
            assert field["description"]


Place = tuple[int | str, ...]


def with_truths(schema: dict[str, Any], known: dict[str, Any], at: Place = ()) -> tuple[object, list[Place]]:
    """Return a value of a JSON Schema with ``true`` in the place of every number, and these places."""
    if "$ref" in schema:
        return with_truths(known[schema["$ref"].rsplit("/", 1)[1]], known, at)
    if "anyOf" in schema:
        return with_truths(schema["anyOf"][0], known, at)
    if schema.get("type") in ("number", "integer"):
        return True, [at]
    inner: dict[int | str, dict[str, Any]] = {}
    if schema.get("type") == "array":
        inner = dict(enumerate(schema.get("prefixItems") or [schema["items"]] * max(1, schema.get("minItems", 1))))
    elif isinstance(schema.get("additionalProperties"), dict):
        inner = {"a": schema["additionalProperties"]}
    elif "properties" in schema:
        inner = schema["properties"]
    parts = {key: with_truths(each, known, (*at, key)) for key, each in inner.items()}
    places = [place for _, found in parts.values() for place in found]
    values = {key: value for key, (value, found) in parts.items() if found}
    return list(values.values()) if schema.get("type") == "array" else values, places


def refused_truths(parameters: type[BaseModel], value: object) -> set[Place]:
    """Return the places of a value that are refused because they are no number."""
    try:
        parameters.model_validate(value)
    except ValidationError as caught:
        return {error["loc"] for error in caught.errors() if error["type"] in ("int_type", "float_type")}
    return set()


@pytest.mark.parametrize("name", components())
def test_true_is_a_number_nowhere_in_parameters(name: str) -> None:
    schema = component(name).schema()
    value, places = with_truths(schema, schema.get("$defs", {}))
    assert refused_truths(component(name).parameters, value) == set(places)


def test_true_is_no_number_of_an_area() -> None:
    with pytest.raises(ValidationError) as caught:
        component("ignore").parameters.model_validate({"rectangles": [{"x": True, "y": 0, "width": 5, "height": 5}]})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [
        (("rectangles", 0, "x"), "float_type")
    ]


def test_an_unknown_component_is_reported_with_those_there_are() -> None:
    with pytest.raises(NotFound) as caught:
        component("segment")
    assert (caught.value.code, caught.value.values["name"]) == ("component-unknown", "segment")
    assert caught.value.values["known"] == ", ".join(sorted(components()))


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    box=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    mode=st.sampled_from(["fit", "fill", "stretch"]),
    enlarge=st.booleans(),
)
def test_resize_keeps_its_promise_about_the_box(
    size: tuple[int, int], box: tuple[int, int], mode: ResizeMode, enlarge: bool
) -> None:
    resized = resize_picture(Picture.original(noise(*size)), *box, mode, enlarge=enlarge)
    height, width = resized.pixels.shape[:2]
    assert 1 <= width <= box[0]
    assert 1 <= height <= box[1]
    if mode == "stretch" and enlarge:
        assert (width, height) == box
    if mode == "fit" and enlarge:
        assert width == box[0] or height == box[1]
    if mode == "fill" and enlarge:
        assert (width, height) == box
    if not enlarge:
        assert width <= size[1]
        assert height <= size[0]


@pytest.mark.parametrize("mode", ["fit", "fill", "stretch"])
def test_a_map_over_a_resized_picture_returns_to_its_place_on_the_original(mode: ResizeMode) -> None:
    pixels = np.zeros((200, 320, 3), np.uint8)
    pixels[90:110, 150:170] = 255  # a bright square in the middle
    resized = resize_picture(Picture.original(pixels), 120, 100, mode)
    heat = resized.pixels[:, :, 0].astype(np.float32)
    back = resized.placement.map_to_original(heat)
    assert back.shape == (200, 320)
    rows, columns = np.nonzero(back > 128)
    assert abs(rows.mean() - 99.5) < 1.5
    assert abs(columns.mean() - 159.5) < 1.5
    again = resized.placement.map_from_original(back, resized.pixels)
    assert np.abs(again - heat).mean() < 8


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 2, 3)])
def test_a_long_narrow_image_fills_its_box_with_its_middle(shape: tuple[int, ...]) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels[shape[0] // 2, shape[1] // 2] = 255
    filled = resize_picture(Picture.original(pixels), 300, 200, "fill", enlarge=True)
    assert filled.pixels.shape[:2] == (200, 300)
    assert filled.pixels.max() == 255
    middle = filled.placement.to_original(np.array([[150.0, 100.0]]))[0]
    assert np.abs(middle - (shape[1] / 2, shape[0] / 2)).max() <= 1


def test_what_fill_cut_off_has_no_heat() -> None:
    filled = resize_picture(Picture.original(noise(100, 300)), 100, 100, "fill")
    back = filled.placement.map_to_original(np.ones((100, 100), np.float32))
    assert back[:, :95].max() == 0
    assert back[:, 105:195].min() == 1
    assert back[:, 205:].max() == 0


def test_a_chain_of_placements_is_one_placement() -> None:
    placed = Placement(400, 200).then(0.5, 0.5, 10, 5).then(2.0, 2.0, 1, 1)
    assert placed.affine == (1.0, 0.0, -21.0, 0.0, 1.0, -11.0)


@pytest.mark.parametrize("kind", ["blur", "sharpen", "edge", "denoise", "clahe"])
@pytest.mark.parametrize("shape", [(40, 50, 3), (40, 50)])
def test_filters_keep_the_shape_with_its_type(kind: str, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    filtered = filter_pixels(pixels, FilterParameters(filter_type=kind))  # type: ignore[arg-type]  # parametrized
    assert (filtered.shape, filtered.dtype) == (shape, np.uint8)
    assert not np.array_equal(filtered, pixels)


def test_blur_lowers_the_contrast_that_sharpen_raises() -> None:
    pixels = noise(60, 60) // 2 + 64
    blurred = filter_pixels(pixels, FilterParameters(filter_type="blur"))
    sharpened = filter_pixels(pixels, FilterParameters(filter_type="sharpen"))
    assert blurred.std() < pixels.std() < sharpened.std()


def test_denoise_calms_areas_without_their_edges() -> None:
    clean = np.full((80, 80), 60, np.uint8)
    clean[:, 40:] = 190
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 10, clean.shape), 0, 255).astype(np.uint8)
    calm = filter_pixels(noisy, FilterParameters(filter_type="denoise", strength=25))
    assert calm[:, :38].std() < 0.45 * noisy[:, :38].std()
    assert calm[:, 41].mean() - calm[:, 38].mean() > 125


def test_clahe_raises_faint_contrast_without_changing_the_colour() -> None:
    faint = np.full((128, 128, 3), (150, 100, 60), np.uint8)
    faint[::2, ::4] -= 6
    even = filter_pixels(faint, FilterParameters(filter_type="clahe", clip=4))
    assert even.astype(int).std(axis=(0, 1)).min() > 1.3 * faint.astype(int).std(axis=(0, 1)).min()
    before, after = (lab_of(pixels.reshape(-1, 3)).mean(axis=0) for pixels in (faint, even))
    assert abs(before[1:] - after[1:]).max() < 6


def test_the_overlay_marks_each_finding_in_its_place() -> None:
    square = [Point(x=x, y=y) for x, y in ((20, 30), (60, 30), (60, 70), (20, 70))]
    pixels = np.zeros((100, 120, 3), np.uint8)
    for drawn in (
        draw_overlay(Picture.original(pixels), codes=[CodeReading(text="日本", format="qr", polygon=square)]),
        draw_overlay(
            Picture.original(pixels),
            measurements=[Measurement(name="長さ", quantity="length", value=4.0, geometry=[[*square, square[0]]])],
        ),
        draw_overlay(
            Picture.original(pixels),
            colours=[
                ColourDifference(name="色", mean=1, maximum=2, lab=(1, 2, 3), reference=(1, 2, 3), polygon=square)
            ],
        ),
    ):
        rows, columns = np.nonzero(drawn.any(axis=2))
        assert (rows.min(), columns.min()) == (pytest.approx(29.5, abs=2), pytest.approx(19.5, abs=2))
        assert (rows.max(), columns.max()) == (pytest.approx(69.5, abs=2), pytest.approx(59.5, abs=2))


def test_the_overlay_names_codes_as_well_as_areas() -> None:
    square = [Point(x=x, y=y) for x, y in ((20, 30), (60, 30), (60, 70), (20, 70))]
    pixels = np.zeros((100, 120, 3), np.uint8)
    named = draw_overlay(Picture.original(pixels), codes=[CodeReading(text="LOT", format="qr", polygon=square)])
    assert named[:28].any()
    area = Measurement(name="face", quantity="area", value=4.0, unit="mm²", geometry=[[*square, square[0]]])
    assert draw_overlay(Picture.original(pixels), measurements=[area])[:28].any()
    plain = ColourDifference(name="c", mean=None, maximum=None, lab=None, reference=(1, 2, 3), polygon=square)
    assert (draw_overlay(Picture.original(np.full_like(pixels, 9)), colours=[plain])[:28] == 9).all()


def test_edges_are_found_where_the_step_is() -> None:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:, 20:] = 200
    edges = filter_pixels(pixels, FilterParameters(filter_type="edge"))
    assert set(np.nonzero(edges)[1]) <= {19, 20}
    assert edges.any()


@pytest.mark.parametrize(
    "wrong", [{"radius": 0}, {"low": 200, "high": 100}, {"filter_type": "melt"}, {"opacity": 2}, {"force": 1}]
)
def test_filter_parameters_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FilterParameters.model_validate(wrong)


def test_the_overlay_reddens_only_the_defect() -> None:
    pixels = np.full((100, 100, 3), 90, np.uint8)
    heat = np.zeros((100, 100), np.float32)
    heat[40:60, 40:60] = 20.0
    anomaly = AnomalyFinding(20.0, 10.0, heat, anomalous_regions(heat, 20.0, 10.0))
    picture = Picture.original(pixels)
    drawn = draw_overlay(picture, anomaly=anomaly)
    assert (pixels == 90).all()
    assert (drawn[:30] == 90).all()
    inside = drawn[50, 50].astype(int)
    assert inside[0] > inside[2] + 30
    box_only = draw_overlay(picture, anomaly=anomaly, opacity=0.0)
    assert tuple(box_only[40, 50]) == (255, 64, 32)
    without_box = draw_overlay(picture, anomaly=anomaly, opacity=0.0, minimum_area=1e6)
    assert (without_box == 90).all()


def no_model(name: str) -> NoReturn:
    """An overlay asks for no model."""
    raise LookupError(name)


def overlay_of(anomaly: AnomalyFinding, pixels: Pixels, longest_side: int | None) -> Picture:
    """The picture of an overlay step."""
    inputs = {"image": Picture.original(pixels), "anomaly": anomaly}
    parameters = FilterParameters(filter_type="overlay", longest_side=longest_side)
    drawn = FILTER.run(parameters, inputs, StepContext(Criteria(), no_model))
    assert isinstance(drawn, Picture)
    return drawn


def hot_spot() -> AnomalyFinding:
    """A defect of 30 × 30 pixels in an image of 1000 × 2000."""
    heat = np.zeros((1000, 2000), np.float32)
    heat[400:430, 1600:1630] = 20.0
    return AnomalyFinding(20.0, 10.0, heat, anomalous_regions(heat, 20.0, 10.0))


def test_an_overlay_has_its_largest_side_or_less() -> None:
    pixels = np.full((1000, 2000, 3), 90, np.uint8)
    sizes = {side: overlay_of(hot_spot(), pixels, side).pixels.shape[:2] for side in (None, 500, 4096)}
    assert sizes == {None: (1000, 2000), 500: (250, 500), 4096: (1000, 2000)}


def test_a_shrunk_overlay_marks_the_defect_in_its_place() -> None:
    pixels = np.full((1000, 2000, 3), 90, np.uint8)
    shown = overlay_of(hot_spot(), pixels, 500)
    rows, columns = np.nonzero((shown.pixels != 90).any(axis=2))
    found = shown.placement.to_original(np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]))
    assert found == pytest.approx(np.array([[1600, 400], [1630, 430]]), abs=12)


def test_an_overlay_takes_little_memory_beside_its_image() -> None:
    pixels, anomaly = np.full((1000, 2000, 3), 90, np.uint8), hot_spot()
    tracemalloc.start()
    try:
        overlay_of(anomaly, pixels, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * pixels.nbytes


@pytest.mark.parametrize("name", ready_names())
def test_a_ready_pipeline_draws_on_1024_pixels_at_most(name: str) -> None:
    sides = {
        step.parameters.get("longest_side")
        for step in ready_definition(name).steps
        if step.parameters.get("filter_type") == "overlay"
    }
    assert sides <= {1024}


def test_regions_are_boxes_of_what_passes_the_threshold_strangest_first() -> None:
    heat = np.zeros((60, 80), np.float32)
    heat[10:20, 30:50] = 12.0
    heat[40:45, 5:8] = 30.0
    first, second = anomalous_regions(heat, 30.0, 10.0)
    assert (first.bbox.x, first.bbox.y, first.bbox.width, first.bbox.height) == (5, 40, 3, 5)
    assert (second.bbox.x, second.bbox.y, second.bbox.width, second.bbox.height) == (30, 10, 20, 10)
    assert first.confidence > second.confidence > 0.5
    assert anomalous_regions(heat, 30.0, 30.0) == ()


def test_a_score_just_above_the_threshold_still_has_a_region() -> None:
    heat = np.zeros((60, 80), np.float32)
    heat[10:20, 30:50] = 9.99
    assert len(anomalous_regions(heat, 10.01, 10.0)) == 1


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 5, 4), (5, 5, 1), (5,)])
def test_what_is_no_image_is_refused_as_a_frame(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, check=raised_in(Frame)):
        Frame(np.zeros(shape, np.uint8), "s", 0)
    with pytest.raises(ValueError, check=raised_in(Frame)):
        Frame(np.zeros((5, 5), np.float32), "s", 0)  # type: ignore[arg-type]  # wrong on purpose


def test_a_grey_frame_shows_as_rgb() -> None:
    frame = Frame(np.arange(12, dtype=np.uint8).reshape(3, 4), "s", 0)
    assert (frame.height, frame.width) == (3, 4)
    assert np.array_equal(frame.rgb()[:, :, 2], frame.pixels)
