import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.alignment import Pose, find_pose
from inspection.anomaly import AnomalyModel
from inspection.components import component
from inspection.components.align import AlignParameters
from inspection.components.registry import InspectionCancelled, StepContext
from inspection.imaging.datasets import image_files
from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import ResizeMode, resize_picture
from inspection.judging.judgement import Criteria
from inspection.model_files.reference import ReferenceImage
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from models.errors import DoesNotFit
from resources.parts import draw_part


def moved(
    pixels: Pixels, right: float, down: float, degrees: float, scale: float = 1.0, noise: float = 4.0, gain: float = 1.1
) -> tuple[Pixels, NDArray[np.float64]]:
    """The image shifted, turned and lit otherwise; and the matrix ``(2, 3)`` between pixel centres that did it."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), -degrees, scale)
    matrix[:, 2] += (right, down)
    turned = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    lit = turned * gain + np.random.default_rng(0).normal(0, noise, turned.shape)
    return np.clip(lit, 0, 255).astype(np.uint8), np.asarray(matrix, np.float64)


def missed(pose: Pose | None, matrix: NDArray[np.float64], pixels: Pixels) -> float:
    """By how many pixels the pose misses the true place at most, among points over most of the image."""
    assert pose is not None
    height, width = pixels.shape[:2]
    points = np.array([[x * width, y * height] for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
    there = points @ matrix[:, :2].T + matrix[:, 2]
    affine = np.array(pose.affine).reshape(2, 3)
    back = (there + 0.5) @ affine[:, :2].T + affine[:, 2] - 0.5
    return float(np.hypot(*(back - points).T).max())


def align(picture: Picture, reference: Pixels, cancel: threading.Event | None = None, **parameters: object) -> Picture:
    context = StepContext(Criteria(), lambda name: ReferenceImage.of(reference, name), "pose", cancel)
    found = component("align").run(AlignParameters.model_validate(parameters), {"image": picture}, context)
    assert isinstance(found, Picture)
    return found


def not_aligned(picture: Picture, reference: Pixels, **parameters: object) -> DoesNotFit:
    with pytest.raises(DoesNotFit) as caught:
        align(picture, reference, **parameters)
    assert caught.value.values["step"] == "pose"
    return caught.value


@pytest.mark.parametrize(("right", "down", "degrees"), [(14.3, -9.6, 0.0), (-20.2, 11.7, 12.5), (3.4, 5.8, -29.0)])
@pytest.mark.parametrize("what", ["casting", "magnetic_tile", "part"])
def test_the_pose_is_right_to_a_tenth_of_a_pixel(
    data: Path, what: str, right: float, down: float, degrees: float
) -> None:
    image = draw_part(7).image if what == "part" else read_image(image_files(data / what)[3])
    seen, matrix = moved(image, right, down, degrees)
    pose = find_pose(seen, ReferenceImage.of(image), "rigid")
    assert missed(pose, matrix, image) < 0.1
    assert pose is not None
    assert pose.confidence > 0.9
    assert pose.angle == pytest.approx(degrees, abs=0.1)
    assert pose.scale == pytest.approx(1.0)


def test_another_size_is_corrected_only_when_allowed() -> None:
    image = draw_part(3).image
    seen, matrix = moved(image, 6, -4, 5, scale=1.07)
    pose = find_pose(seen, ReferenceImage.of(image), "similarity")
    assert missed(pose, matrix, image) < 0.1
    assert pose is not None
    assert pose.scale == pytest.approx(1.07, abs=2e-3)
    aligned = align(Picture.original(seen), image, motion="similarity")
    assert aligned.placement.area_scale == pytest.approx(1 / 1.07**2, rel=5e-3)
    assert aligned.resized == (1.0, 1.0)
    assert not_aligned(Picture.original(seen), image, motion="similarity", max_scale=0.05).code == "align-out-of-bounds"


def test_a_large_picture_is_aligned_finely_though_it_is_looked_at_smaller() -> None:
    image = cv2.resize(draw_part(3).image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    seen, matrix = moved(image, 61, -40, 8)
    assert missed(find_pose(seen, ReferenceImage.of(image), "rigid"), matrix, image) < 0.4


def test_a_soft_shape_without_features_is_aligned_by_phase() -> None:
    y, x = np.mgrid[:200, :240]
    image = (40 + 180 * np.exp(-(((x - 120) / 45) ** 2 + ((y - 100) / 25) ** 2))).astype(np.uint8)
    seen, matrix = moved(image, 17.4, -12.2, 0, noise=1, gain=1.0)
    assert missed(find_pose(seen, ReferenceImage.of(image), "translation"), matrix, image) < 0.3


def test_the_same_images_give_the_same_pose() -> None:
    image = draw_part(5).image
    seen, _ = moved(image, 9, 9, 9)
    assert find_pose(seen, ReferenceImage.of(image), "rigid") == find_pose(seen, ReferenceImage.of(image), "rigid")


@pytest.mark.parametrize("kind", ["noise", "even", "other"])
def test_what_is_not_the_part_is_never_bent_into_place(data: Path, kind: str) -> None:
    reference = read_image(image_files(data / "casting")[0])
    random = np.random.default_rng(0)
    other = {
        "noise": random.integers(0, 256, reference.shape).astype(np.uint8),
        "even": np.full(reference.shape, 120, np.uint8),
        "other": read_image(image_files(data / "magnetic_tile")[0]),
    }[kind]
    assert not_aligned(Picture.original(other), reference).code == "align-not-found"


@pytest.mark.parametrize("bounds", [{"max_angle": 10.0}, {"max_shift": 0.02}])
def test_a_part_further_off_than_allowed_is_reported(bounds: dict[str, float]) -> None:
    image = draw_part(5).image
    seen, _ = moved(image, 20, 0, 15)
    align(Picture.original(seen), image)
    error = not_aligned(Picture.original(seen), image, **bounds)
    assert error.code == "align-out-of-bounds"
    assert error.values["angle"] == "15.0"


def test_places_in_the_aligned_picture_return_to_the_original() -> None:
    image = draw_part(5).image
    seen, matrix = moved(image, 20, -10, 15)
    aligned = align(Picture.original(seen), image)
    assert aligned.pixels.shape == image.shape
    assert np.abs(aligned.pixels[40:-40, 40:-40] / 1.1 - image[40:-40, 40:-40]).mean() < 8
    place = np.array([[100.0, 60.0]])
    there = (place - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    assert aligned.placement.to_original(place) == pytest.approx(there, abs=0.1)
    assert aligned.placement.from_original(there) == pytest.approx(place, abs=0.1)
    heat = np.zeros(image.shape[:2], np.float32)
    heat[50:70, 90:110] = 1
    back = aligned.placement.map_to_original(heat)
    rows, columns = np.nonzero(back > 0.5)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == (
        pytest.approx(there[0, 0], abs=0.3),
        pytest.approx(there[0, 1], abs=0.3),
    )
    valid = aligned.valid_mask()
    assert valid is not None  # the corners of the picture show nothing of the original
    assert 0.8 < valid.mean() < 1


@pytest.mark.parametrize(
    "resize",
    [
        (128, 128, "fit", False),
        (400, 500, "fit", True),
        (200, 170, "stretch", False),
        (180, 150, "fill", False),
    ],
)
def test_after_resize_the_reference_of_the_camera_serves_as_it_is(resize: tuple[int, int, ResizeMode, bool]) -> None:
    image = draw_part(5).image
    # Stretched by two factors a turned part is no turned part any more.
    seen, matrix = moved(image, 12, -8, 0 if resize[2] == "stretch" else 6)
    width, height, mode, enlarge = resize
    resized = resize_picture(Picture.original(seen), width, height, mode, enlarge=enlarge)
    aligned = align(resized, image)
    width, height = (round(side * by) for side, by in zip(image.shape[1::-1], resized.resized, strict=True))
    assert aligned.pixels.shape[:2] == (height, width)
    # Where a point of the reference lies on the camera's image does not depend on the size that was looked at.
    places = np.array([[70.0, 60.0], [150.0, 120.0]])
    there = (places - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    assert aligned.placement.to_original(places * resized.resized) == pytest.approx(there, abs=0.3)


def test_a_reference_of_the_size_that_comes_in_is_taken_as_it_is() -> None:
    image = draw_part(5).image
    seen, _ = moved(image, 12, -8, 6)
    resized = resize_picture(Picture.original(seen), 128, 128)
    small = resize_picture(Picture.original(image), 128, 128).pixels
    assert align(resized, small).pixels.shape == resized.pixels.shape


def test_a_reference_that_would_become_too_large_is_refused_by_its_field() -> None:
    image = draw_part(5).image
    enlarged = resize_picture(Picture.original(image[100:104, 100:104]), 1024, 1024, enlarge=True)
    error = not_aligned(enlarged, image)
    assert error.code == "align-reference-size"
    assert (error.values["field"], error.values["picture"]) == ("parameters.reference", "1024×1024")


def test_a_cancelled_run_stops_within_the_step() -> None:
    cancel = threading.Event()
    cancel.set()
    image = draw_part(5).image
    with pytest.raises(InspectionCancelled):
        align(Picture.original(image), image, cancel)


def test_the_heat_of_an_aligned_part_lies_where_it_belongs_on_the_original(model: AnomalyModel) -> None:
    reference = draw_part(12).image
    seen, _ = moved(draw_part(800, defect="scratch").image, 18, -12, 9, gain=1.0, noise=0)
    steps = [
        {"id": "pose", "component": "align", "parameters": {"reference": "pose"}, "inputs": {"image": "input"}},
        {"id": "anomaly", "component": "anomaly", "inputs": {"image": "pose"}},
    ]
    runner = Runner(
        validate_definition(PipelineDefinition.parse({"name": "p", "steps": steps})),
        {"default": model, "pose": ReferenceImage.of(reference)},
    )
    assert runner.pipeline.models() == {"default", "pose"}
    outcome = runner.run(seen)
    assert outcome.heatmap is not None
    assert outcome.heatmap.shape == seen.shape[:2]
    aligned = align(Picture.original(seen), reference)
    valid = aligned.valid_mask()
    assert valid is not None
    heat = np.where(valid, model.score(aligned.pixels).heatmap, np.float32(0))
    assert outcome.result.anomaly_score == pytest.approx(float(heat.max()), rel=0.05)
    expected = aligned.placement.map_to_original(heat)
    assert np.abs(outcome.heatmap - expected).max() < 0.02 * expected.max()


def test_a_round_part_at_an_unknown_angle_is_refused_rather_than_guessed(data: Path) -> None:
    castings = [read_image(path) for path in image_files(data / "casting" / "train" / "ok_front")[:6]]
    for index in (1, 2, 4, 5):
        assert not_aligned(Picture.original(castings[index]), castings[0], max_angle=180).code == "align-not-found"
