"""What `train images` says about the orientation of parts and the size of defects."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.command_line.training_findings import rotation_line
from app.command_line.wording import phrase
from inspection.anomaly.manifest import RotationRecord
from inspection.imaging.files import encode_png
from tests.support.command import run
from tests.support.messages import says

COMPARED = RotationRecord(
    rotations=1, measured=True, good_change=0.02, separation_fixed=0.834, separation_turned=0.866
)  # fmt: skip


def test_turned_copies_that_were_not_kept_are_told_with_both_figures() -> None:
    assert rotation_line(COMPARED) == phrase("rotation-not-kept", turned="0.866", fixed="0.834")


def test_nothing_is_told_of_an_orientation_that_was_given() -> None:
    assert rotation_line(RotationRecord(rotations=1, measured=False)) == ""


@pytest.mark.slow
def test_images_too_few_to_find_the_orientation_out_are_told(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    lines, _ = train(capsys, tmp_path)
    assert phrase("rotation-too-few", images=6, least=10) in lines
    lines, _ = train(capsys, tmp_path, "--rotation", "fixed")
    assert phrase("rotation-too-few", images=6, least=10) not in lines


@pytest.mark.slow
def test_what_a_finer_detail_would_find_is_told(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    lines, _ = train(capsys, tmp_path, "--detail", "fast")
    assert phrase("training-seen-finer", side=224, defects=13, detail="standard", finer=8) in lines
    _, out = train(capsys, tmp_path, "--detail", "fast", "--json")
    trained = json.loads(out)
    assert (trained["smallest_defect"], trained["finer"]) == (13, {"detail": "standard", "smallest_defect": 8})


@pytest.mark.slow
def test_no_detail_is_advised_where_the_side_was_given(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    lines, _ = train(capsys, tmp_path, "--side", 64)
    assert phrase("training-seen", side=64, defects=44) in lines


@pytest.mark.slow
def test_the_good_image_with_the_highest_held_out_score_is_named_first(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    odd = np.random.default_rng(9).integers(0, 256, (200, 200), dtype=np.uint8)
    odd[60:140, 60:140] = 255
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "odd.png").write_bytes(encode_png(odd))
    lines, _ = train(capsys, tmp_path, "--rotation", "fixed")
    assert any(re.search(r": odd\.png \(", line) for line in lines)
    _, out = train(capsys, tmp_path, "--rotation", "fixed", "--json")
    held_out = json.loads(out)["held_out"]
    assert next(iter(held_out)) == str(tmp_path / "good" / "odd.png")
    assert sorted(held_out.values(), reverse=True) == list(held_out.values())


@pytest.mark.slow
def test_an_image_that_lifts_the_threshold_is_warned_of_by_name(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    good.mkdir()
    for place in range(12):
        noise = np.random.default_rng(place).integers(100, 140, (96, 96), dtype=np.uint8)
        if place == 5:
            noise[20:70, 20:70] = np.arange(50, dtype=np.uint8)[:, None] * 5
        (good / f"{place}.png").write_bytes(encode_png(noise))
    quick = ("--side", 96, "--bank-size", 200, "--folds", 4, "--rotation", "fixed", "--false-alarm-rate", 0.08)
    code, _, err = run(capsys, "train", "images", "--good", good, "--out", tmp_path / "m.model", *quick)
    assert code == 0, err
    assert says(err, "threshold-lifted", count=1, images=12, names="5.png")


def train(capsys: pytest.CaptureFixture[str], folder: Path, *options: object) -> tuple[list[str], str]:
    """Train on six images of 200×200, and return what is written on stdout, as lines too."""
    (folder / "good").mkdir(exist_ok=True)
    for place in range(6):
        pixels = np.random.default_rng(place).integers(0, 256, (200, 200), dtype=np.uint8)
        (folder / "good" / f"{place}.png").write_bytes(encode_png(pixels))
    quick = ("--bank-size", 100, "--folds", 2)
    code, out, err = run(
        capsys, "train", "images", "--good", folder / "good", "--out", folder / "m.model", *quick, *options
    )
    assert code == 0, err
    return out.splitlines(), out
