"""What `train images` says about images of two sizes in one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import encode_png
from tests.support.command import run
from tests.support.messages import says

pytestmark = pytest.mark.slow


def test_images_of_two_sizes_are_reported_with_how_many_there_are(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "good").mkdir()
    for place, shape in enumerate([(60, 60)] * 6 + [(140, 70)] * 5):
        pixels = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
        (tmp_path / "good" / f"{place}.png").write_bytes(encode_png(pixels))
    quick = ("--detail", "fast", "--bank-size", 100, "--folds", 2, "--rotation", "fixed")
    options = ("--good", tmp_path / "good", "--out", tmp_path / "m.model", *quick)
    code, _, err = run(capsys, "train", "images", *options)
    assert code == 0, err
    assert says(err, "two-image-sizes", first=6, first_size="60×60", second=5, second_size="70×140")
