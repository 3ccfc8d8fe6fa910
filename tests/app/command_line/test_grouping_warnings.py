"""What `train images` says about near duplicates: what the threshold counted, whether a distribution is assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.messages import says
from tests.support.photographs import save_photographs

pytestmark = pytest.mark.slow


def test_few_parts_are_reported_with_how_many_were_counted(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    err = train(capsys, tmp_path, 12, 2)
    assert says(err, "few-groups", images=24, groups=12)
    assert not says(err, "few-groups-by-image")


def test_few_parts_do_not_hide_that_a_distribution_is_assumed(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    assert says(train(capsys, tmp_path, 12, 2), "threshold-assumed", sample=12, rate="5.0%")


def test_parts_enough_for_the_rate_need_no_distribution(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    err = train(capsys, tmp_path, 12, 2, "--false-alarm-rate", 0.1)
    assert says(err, "few-groups", images=24, groups=12)
    assert not says(err, "threshold-assumed")


def test_parts_too_few_to_hold_out_are_reported_as_counted_by_image(
    capsys: pytest.CaptureFixture[str], backbone: object, tmp_path: Path
) -> None:
    err = train(capsys, tmp_path, 5, 4)
    assert says(err, "few-groups-by-image", images=20, groups=5)
    assert not says(err, "few-groups")


def test_a_policy_that_counts_images_says_so(
    capsys: pytest.CaptureFixture[str], backbone: object, parts: Path, tmp_path: Path
) -> None:
    defects = ("--defect", parts / "test" / "scratch", "--threshold", "f1")
    assert says(train(capsys, tmp_path, 12, 2, *defects), "few-groups-by-image", images=24, groups=12)


def train(capsys: pytest.CaptureFixture[str], folder: Path, parts: int, each: int, *options: object) -> str:
    """Train on photographs, ``each`` of every part, and return what is written on stderr."""
    save_photographs(folder / "good", parts, each)
    quick = ("--detail", "fast", "--bank-size", 100, "--folds", 2, "--rotation", "fixed")
    code, _, err = run(
        capsys, "train", "images", "--good", folder / "good", "--out", folder / "m.model", *quick, *options
    )
    assert code == 0, err
    return err
