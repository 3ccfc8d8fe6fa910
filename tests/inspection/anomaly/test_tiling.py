"""Tiles of a large network input, and the map they are joined to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.detail import network_area
from inspection.anomaly.features import FeatureExtractor
from inspection.anomaly.network_area import OVERLAP, TILE_SIDE
from inspection.anomaly.preparation import PATCH, prepare
from inspection.anomaly.tiling import spans, tile_count
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.errors import DoesNotFit
from tests.support.trained_model import SMALL

LENGTHS = (32, 576, 608, 640, 1056, 1088, 2304, 4096)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_cell_is_taken_from_exactly_one_tile(length: int) -> None:
    taken = [cell for span in spans(length, TILE_SIDE) for cell in range(span.cells.start, span.cells.stop)]
    assert taken == list(range(length // PATCH))


@pytest.mark.parametrize("length", LENGTHS)
def test_tiles_reach_beyond_the_cells_taken_from_them(length: int) -> None:
    found = spans(length, TILE_SIDE)
    for before, after in pairwise(found):
        assert before.pixels.stop - before.cells.stop * PATCH >= OVERLAP // 2 - PATCH
        assert after.cells.start * PATCH - after.pixels.start >= OVERLAP // 2 - PATCH
        assert before.pixels.stop - after.pixels.start >= OVERLAP


@pytest.mark.parametrize("length", LENGTHS)
def test_tiles_of_an_image_have_one_size(length: int) -> None:
    assert {span.pixels.stop - span.pixels.start for span in spans(length, TILE_SIDE)} == {min(length, TILE_SIDE)}


def test_without_a_tile_side_the_whole_image_is_one_tile() -> None:
    assert tile_count(2304, 1152, 0) == 1


@pytest.mark.slow
def test_joined_features_are_those_of_the_whole_image(backbone: object) -> None:
    extractor = FeatureExtractor(find_backbone("efficientnet-lite0"))
    prepared = prepare(surface(0, 800), 1.0)
    whole, tiles = extractor.grid(prepared), extractor.grid(prepared, TILE_SIDE)
    assert tiles.shape == whole.shape
    distance = np.linalg.norm(tiles - whole, axis=2) / np.linalg.norm(whole, axis=2)
    assert np.median(distance) < 0.01
    assert distance.max() < 0.25


def test_a_method_that_compares_positions_refuses_a_detail_of_tiles() -> None:
    with pytest.raises(DoesNotFit) as caught:
        network_area([(3000, 4000)], 2304, aligned=True)
    assert caught.value.code == "detail-needs-tiles"


@pytest.mark.slow
def test_a_model_of_tiles_finds_a_spot_beyond_standard_detail(tmp_path: Path, backbone: object) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        path.write_bytes(encode_png(surface(number, 1400)))
    settings = TrainingSettings(**{**SMALL.model_dump(), "detail": "finest", "folds": 2})
    report = train_images(paths, tmp_path / "tiles.model", settings)
    assert report.manifest.format_version == 4
    assert report.manifest.preprocessing.tile == TILE_SIDE
    model = load_bundle(report.path)
    good, spotted = surface(7, 1400), surface(7, 1400)
    cv2.circle(spotted, (1000, 610), 9, (40, 40, 40), -1)
    found = model.score(spotted)
    assert found.score > 1.3 * model.score(good).score
    assert found.heatmap.shape == (1400, 1400)
    row, column = np.unravel_index(int(found.heatmap.argmax()), found.heatmap.shape)
    assert abs(int(row) - 610) <= 24
    assert abs(int(column) - 1000) <= 24


def surface(seed: int, side: int) -> Pixels:
    """Return a ground surface, RGB ``(side, side, 3)`` uint8."""
    generator = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(generator.normal(0, 40, (side, side)).astype(np.float32), (0, 0), 2)
    shade = cv2.resize(generator.normal(0, 8, (6, 6)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    grey = np.clip(150 + grain + shade, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
