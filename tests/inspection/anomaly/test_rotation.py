"""Turned copies of good images, for parts that lie in any orientation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingReport, TrainingSettings, train_images
from inspection.anomaly.preparation import PATCH, prepare
from inspection.anomaly.training.rotation import LEAST_COMPARED, ROTATIONS, separation_gain
from inspection.anomaly.training.turned_copies import turned, valid_cells
from inspection.imaging.files import encode_jpeg, encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit
from tests.support.trained_model import SMALL

SIDE = 256


def test_corners_that_were_filled_in_are_no_valid_cells() -> None:
    picture = Picture.original(draw_pin(0, angle=0))
    copy, valid = turned(picture, 45)
    cells = valid_cells(valid, prepare(copy.pixels, 1.0))
    assert cells.shape == (SIDE // PATCH, SIDE // PATCH)
    assert not cells[0, 0]
    assert not cells[-1, -1]
    assert cells[SIDE // PATCH // 2, SIDE // PATCH // 2]
    assert 0.3 < cells.mean() < 0.8


def test_half_a_turn_leaves_all_cells_valid() -> None:
    copy, valid = turned(Picture.original(draw_pin(0, angle=20)), 180)
    assert valid_cells(valid, prepare(copy.pixels, 1.0)).mean() > 0.9


def test_a_method_that_compares_positions_refuses_any_orientation(tmp_path: Path, backbone: object) -> None:
    paths = write_pins(tmp_path, range(6), lambda _: 0.0)
    settings = SMALL.model_copy(update={"method": "padim", "rotation": "any"})
    with pytest.raises(DoesNotFit) as caught:
        train_images(paths, tmp_path / "m.model", settings)
    assert caught.value.code == "rotation-needs-patches"


@pytest.mark.slow
def test_parts_that_lie_anyhow_are_found_out_from_their_images(tmp_path: Path, backbone: object) -> None:
    rotation = trained(tmp_path, anyhow, "auto", 40).manifest.rotation
    assert rotation is not None
    assert rotation.rotations == ROTATIONS
    assert rotation.separation_fixed is not None
    assert rotation.separation_turned is not None
    assert rotation.separation_turned > rotation.separation_fixed


@pytest.mark.slow
def test_the_choice_holds_few_large_images_at_a_time(tmp_path: Path, backbone: object) -> None:
    height, width = 3000, 4000
    paths = [tmp_path / f"{number}.jpg" for number in range(LEAST_COMPARED)]
    for number, path in enumerate(paths):
        coarse = np.random.default_rng(number).integers(60, 200, (30, 40, 3), dtype=np.uint8)
        path.write_bytes(encode_jpeg(cv2.resize(coarse, (width, height)).astype(np.uint8), 80))
    settings = TrainingSettings(backbone="efficientnet-lite0", side=128, bank_size=100, folds=2)
    tracemalloc.start()
    try:
        report = train_images(paths, tmp_path / "large.model", settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.manifest.rotation is not None
    assert report.manifest.rotation.measured
    assert peak < 5 * height * width * 3


@pytest.mark.slow
def test_parts_that_lie_alike_get_no_turned_copies(tmp_path: Path, backbone: object) -> None:
    rotation = trained(tmp_path, alike, "auto", 40).manifest.rotation
    assert rotation is not None
    assert rotation.measured
    assert rotation.rotations == 1


def test_a_gain_of_separation_is_the_difference_of_the_areas() -> None:
    good, defects = [1.0, 2.0, 3.0, 4.0], [2.5, 3.5, 5.0]
    gain, error = separation_gain(good, defects, good, [4.5, 5.0, 6.0])
    assert gain == pytest.approx(1 - 9 / 12)
    assert 0 < error < 0.25


def test_the_same_scores_gain_nothing() -> None:
    assert separation_gain([1.0, 2.0], [1.5, 3.0], [1.0, 2.0], [1.5, 3.0]) == (0.0, 0.0)


def trained(folder: Path, angle_of: Callable[[int], float], rotation: str, count: int) -> TrainingReport:
    paths = write_pins(folder, range(count), angle_of)
    settings = TrainingSettings(**{**SMALL.model_dump(), "rotation": rotation, "folds": 2, "bank_size": 5000})
    return train_images(paths, folder / "pins.model", settings)


def alike(seed: int) -> float:
    """Return an angle of a part in a fixture."""
    return float(np.random.default_rng(seed).uniform(-2, 2))


def anyhow(seed: int) -> float:
    return float(np.random.default_rng(seed).uniform(0, 360))


def write_pins(folder: Path, seeds: range, angle_of: Callable[[int], float], *, nick: bool = False) -> list[Path]:
    paths = [folder / f"{seed}.png" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        path.write_bytes(encode_png(draw_pin(seed, angle_of(seed), nick=nick)))
    return paths


def draw_pin(seed: int, angle: float, *, nick: bool = False) -> Pixels:
    """Return a threaded pin of 6 % of the image at an angle in degrees, RGB uint8; with a nick of 0.3 %."""
    generator = np.random.default_rng(seed)
    large = 4 * SIDE
    image = np.full((large, large), 70, np.float32)
    left, right, top, bottom = large // 7, large - large // 7, large // 2 - 40, large // 2 + 40
    cv2.rectangle(image, (left, top), (right, bottom), 170, -1)
    cv2.rectangle(image, (left, top - 50), (left + 70, bottom + 50), 190, -1)
    for thread in range(left + 120, right, 24):
        cv2.line(image, (thread, top), (thread + 10, bottom), 95, 7)
    if nick:
        place = int(generator.integers(left + 160, right - 60))
        cv2.ellipse(image, (place, top + 20), (34, 26), 0, 0, 360, 70, -1)
    matrix = cv2.getRotationMatrix2D((large / 2, large / 2), angle, 1.0)
    turned_image = cv2.warpAffine(image, matrix, (large, large), flags=cv2.INTER_AREA, borderValue=70)
    small = cv2.resize(turned_image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grained = small + cv2.GaussianBlur(generator.normal(0, 6, (SIDE, SIDE)).astype(np.float32), (0, 0), 0.8)
    return np.repeat(np.clip(grained, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
