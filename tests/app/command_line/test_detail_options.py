"""`train images --detail`: what each detail takes is printed first, and the model is trained at the chosen one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.command_line.wording import phrases
from inspection.anomaly.detail import DETAILS
from inspection.imaging.files import encode_png
from tests.support.command import run

pytestmark = pytest.mark.slow


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder of six small images."""
    folder = tmp_path / "good"
    folder.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(90, 160, (64, 64), dtype=np.uint8)
        (folder / f"{number}.png").write_bytes(encode_png(noise))
    return folder


def train(capsys: pytest.CaptureFixture[str], good: Path, *options: str) -> tuple[dict[str, object], str]:
    quick = ("--bank-size", "100", "--folds", "2", "--json")
    code, out, err = run(capsys, "train", "images", "--good", good, "--out", good.parent / "m.model", *quick, *options)
    assert code == 0
    found: dict[str, object] = json.loads(out)
    return found, err


def test_a_given_detail_is_trained_with_after_all_were_measured(
    good: Path, backbone: object, capsys: pytest.CaptureFixture[str]
) -> None:
    found, err = train(capsys, good, "--detail", "fast")
    details, configuration = found["details"], found["configuration"]
    assert isinstance(details, list)
    assert isinstance(configuration, dict)
    assert [measured["detail"] for measured in details] == list(DETAILS)
    assert all(measured["latency_ms"] > 0 for measured in details)
    assert (configuration["detail"], configuration["side"]) == ("fast", 224)
    assert "* fast" in err


def test_what_each_detail_takes_is_printed_in_the_users_language(
    good: Path, backbone: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    _, err = train(capsys, good, "--detail", "fast")
    for column in ("name", "latency", "memory", "defects", "tiles", "training"):
        assert phrases("ja")[f"detail-{column}"] in err


def test_a_side_by_number_overrules_the_detail(
    good: Path, backbone: object, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = train(capsys, good, "--side", "128")
    configuration = found["configuration"]
    assert isinstance(configuration, dict)
    assert (configuration["detail"], configuration["side"]) == ("", 128)
    assert found["details"] == []
