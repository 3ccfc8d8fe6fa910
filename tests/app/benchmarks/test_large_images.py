"""Defects of 30 pixels on images of 20 megapixels are found at the finest detail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.inspection.large_parts import PIT, write_large_parts
from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.imaging.files import read_image


@pytest.mark.slow
def test_small_pits_are_found_in_place_on_twenty_megapixels(tmp_path: Path, backbone: object) -> None:
    good = write_large_parts(tmp_path / "good", range(5))
    unseen = write_large_parts(tmp_path / "unseen", range(100, 101))
    pitted = write_large_parts(tmp_path / "pitted", range(200, 202), pit=True)
    settings = TrainingSettings(detail="finest", folds=2, rotation="fixed", bank_size=2000)
    report = train_images(list(good), tmp_path / "large.model", settings)
    assert report.manifest.preprocessing.tile > 0
    model = load_bundle(report.path)
    (usual,) = (model.score(read_image(path)).score for path in unseen)
    for path, place in pitted.items():
        scored = model.score(read_image(path))
        assert scored.score > 1.5 * usual
        assert place is not None
        row, column = np.unravel_index(int(scored.heatmap.argmax()), scored.heatmap.shape)
        assert max(abs(int(column) - place[0]), abs(int(row) - place[1])) <= 2 * PIT
