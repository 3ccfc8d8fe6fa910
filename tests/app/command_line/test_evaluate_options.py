"""What ``imageflow evaluate`` takes, and what it says of what it does not take."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingReport
from inspection.imaging.files import encode_png, read_image
from tests.support.command import run
from tests.support.messages import says
from tests.support.pipelines import CROP, IGNORE, pipeline


@pytest.fixture
def folders(parts: Path) -> tuple[object, ...]:
    return ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")


@pytest.mark.slow
def test_the_model_may_be_named_as_the_step_names_it_in_any_place(
    capsys: pytest.CaptureFixture[str],
    report: TrainingReport,
    good_paths: list[Path],
    folders: tuple[object, ...],
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.json"
    own.write_text(pipeline(("align", {"motion": "rigid"}), IGNORE).model_dump_json())
    found = []
    for models in (
        ("--model", report.path, "--model", good_paths[0]),
        ("--model", f"reference={good_paths[0]}", "--model", f"default={report.path}"),
        ("--model", f"reference={good_paths[0]}", "--model", report.path),
    ):
        code, printed, reported = run(capsys, "evaluate", *models, "--pipeline", own, *folders, "--json")
        assert code == 0, reported
        found.append(json.loads(printed))
    assert all(values["thresholds"] == found[0]["thresholds"] for values in found)
    assert found[0]["steps"] == ["align", "ignore"]


def test_without_a_pipeline_the_model_may_be_named_too(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, folders: tuple[object, ...]
) -> None:
    code, printed, _ = run(capsys, "evaluate", "--model", f"default={report.path}", *folders, "--json")
    assert (code, json.loads(printed)["model"]) == (0, report.digest)


@pytest.mark.parametrize(
    ("models", "stated"),
    [
        (("default={model}", "default={model}"), "'default'"),
        (("reference={image}",), "'default'"),
        (("default={model}", "other={image}"), "'other"),
    ],
)
def test_names_that_cannot_be_meant_are_reported(
    capsys: pytest.CaptureFixture[str],
    report: TrainingReport,
    good_paths: list[Path],
    folders: tuple[object, ...],
    tmp_path: Path,
    models: tuple[str, ...],
    stated: str,
) -> None:
    own = tmp_path / "own.json"
    own.write_text(pipeline(("align", {"motion": "rigid"})).model_dump_json())
    values = [text.format(model=report.path, image=good_paths[0]) for text in models]
    options = [option for value in values for option in ("--model", value)]
    code, _, reported = run(capsys, "evaluate", *options, "--pipeline", own, *folders)
    assert code == 2
    assert stated in " ".join(reported.replace("│", " ").split())


@pytest.mark.parametrize("named", ["--good", "--defect"])
def test_the_folder_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, named: str
) -> None:
    other = {"--good": "--defect", "--defect": "--good"}[named]
    code, _, reported = run(capsys, "evaluate", "--model", report.path, other, parts / "test" / "good")
    assert code == 2
    assert f" {named}: " in reported


def test_a_report_is_a_page_or_a_folder(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, folders: tuple[object, ...], tmp_path: Path
) -> None:
    out = tmp_path / "found.json"
    code, _, reported = run(capsys, "evaluate", "--model", report.path, *folders, "--out", out)
    assert (code, out.exists()) == (2, False)
    assert ".html" in reported


def test_images_that_a_step_refuses_are_counted_as_left_out(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, folders: tuple[object, ...], tmp_path: Path
) -> None:
    own, good = tmp_path / "own.json", tmp_path / "good"
    own.write_text(pipeline(CROP).model_dump_json())
    good.mkdir()
    for path in sorted((parts / "test" / "good").iterdir())[:2]:
        (good / path.name).write_bytes(path.read_bytes())
    # The crop lies outside of it.
    (good / "small.png").write_bytes(encode_png(np.zeros((30, 30), np.uint8)))
    options = ("--model", report.path, "--pipeline", own, "--good", good, *folders[2:])
    code, printed, _ = run(capsys, "evaluate", *options)
    assert code == 1
    assert ["1", "0"] in [re.findall(r"\d+", line) for line in printed.splitlines()]
    code, printed, _ = run(capsys, "evaluate", *options, "--json")
    assert json.loads(printed)["left_out"] == {"good": 1, "defect": 0}


def test_images_of_defects_that_are_in_no_pixel_figure_are_named(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, folders: tuple[object, ...], tmp_path: Path
) -> None:
    first, second, _ = sorted((parts / "masks" / "scratch").iterdir())
    (tmp_path / first.name).write_bytes(first.read_bytes())
    (tmp_path / second.name).write_bytes(encode_png(np.zeros_like(read_image(second, mode="grey"))))
    code, printed, err = run(capsys, "evaluate", "--model", report.path, *folders, "--masks", tmp_path, "--json")
    found = json.loads(printed)
    images = sorted((parts / "test" / "scratch").iterdir())
    assert (code, found["masks"]) == (0, 1)
    assert (found["empty_masks"], found["without_mask"]) == ([str(images[1])], [str(images[2])])
    assert says(err, "masks-missing", count=1, names=str(images[2]))
    assert says(err, "masks-empty", count=1, names=str(images[1]))


def test_masks_that_belong_to_no_image_are_named(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, folders: tuple[object, ...], tmp_path: Path
) -> None:
    first, *_ = sorted((parts / "masks" / "scratch").iterdir())
    unused = [tmp_path / f"{first.stem}_mask.png", tmp_path / "gone.heic", tmp_path / "gone.png"]
    for path in (tmp_path / first.name, *unused):
        path.write_bytes(first.read_bytes())
    _, printed, err = run(capsys, "evaluate", "--model", report.path, *folders, "--masks", tmp_path, "--json")
    assert json.loads(printed)["unused_masks"] == list(map(str, unused))
    assert says(err, "masks-unused", count=3, names=", ".join(map(str, unused)))


def test_masks_that_look_inverted_are_asked_for_before_an_image_is_scored(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, folders: tuple[object, ...], tmp_path: Path
) -> None:
    for mask in (parts / "masks" / "scratch").iterdir():
        (tmp_path / mask.name).write_bytes(encode_png(255 - read_image(mask, mode="grey")))
    given = ("evaluate", "--model", report.path, *folders, "--masks")
    code, printed, err = run(capsys, *given, tmp_path, "--json")
    assert (code, printed) == (1, "")
    assert "--mask-marks zero" in err
    regions = [
        json.loads(run(capsys, *given, masks, *option, "--json")[1])["regions"]
        for masks, option in ((tmp_path, ("--mask-marks", "zero")), (parts / "masks" / "scratch", ()))
    ]
    assert regions[0] == regions[1]
