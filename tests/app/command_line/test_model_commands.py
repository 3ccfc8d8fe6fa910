import json
import re
import shutil
from pathlib import Path

import pytest

from inspection.anomaly import TrainingReport, load_bundle
from inspection.detection.model_file.bundle import DETECTION_KINDS
from inspection.model_files.archive import pack
from models.messages import LANGUAGES, Language
from tests.support.command import run
from tests.support.messages import says


@pytest.mark.slow
def test_training_with_defects_sets_the_threshold_between_both(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "good").mkdir()
    for path in sorted((parts / "good").iterdir())[:8]:
        shutil.copy(path, tmp_path / "good")
    model = tmp_path / "m.model"
    (tmp_path / "test").mkdir()
    shutil.copytree(parts / "test" / "good", tmp_path / "test" / "ok")
    shutil.copytree(parts / "test" / "scratch", tmp_path / "test" / "scratch")
    code, out, err = run(
        capsys,
        *("train", "images", "--good", tmp_path / "good", "--out", model, "--bank-size", 200, "--folds", 2, "--json"),
        *("--backbone", "efficientnet-lite0", "--defect", tmp_path / "test", "--threshold", "cost"),
        *("--escape-cost", 100, "--overkill-cost", 1, "--defect-rate", 0.1),
    )
    assert code == 0, err
    trained = json.loads(out)
    assert (trained["method"], trained["defects"], trained["kind"]) == ("cost", 3, "patchcore")
    manifest = load_bundle(model).manifest
    assert len(manifest.defect_scores) == manifest.data.defects == 3
    assert len(manifest.scores) == 8
    assert all(score > trained["threshold"] for score in manifest.defect_scores)
    code, out, _ = run(capsys, "model", "show", model)
    assert (code, [line for line in out.splitlines() if re.search(r"\b8\b.*\b3\b", line)] != []) == (0, True)
    code, out, _ = run(capsys, "model", "threshold", model, "--json")
    found = {row["name"]: row for row in json.loads(out)["thresholds"]}
    assert found["model"]["escapes"]["count"] == 0
    assert found["model"]["overkill"] is None


def test_show_says_what_the_training_found_out(capsys: pytest.CaptureFixture[str], report: TrainingReport) -> None:
    manifest = report.manifest
    assert manifest.separation is not None
    assert manifest.configuration is not None
    code, out, _ = run(capsys, "model", "show", report.path)
    assert code == 0
    side = manifest.configuration.side
    assert {f"{manifest.separation.auroc:.3f}", f"{side}×{side}"} <= set(re.split(r"[ ,;()]+", out))


def test_show_names_no_figure_in_another_language(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    _, out, _ = run(capsys, "model", "show", report.path)
    assert [name for name in report.manifest.metrics if name.replace("_", " ") in out] == []


def test_an_image_on_both_sides_of_a_training_is_refused(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "ng").mkdir()
    shutil.copy(sorted((parts / "good").iterdir())[0], tmp_path / "ng" / "double.png")
    arguments = ("train", "images", "--good", parts / "good", "--out", tmp_path / "m.model")
    code, out, err = run(capsys, *arguments, "--defect", tmp_path / "ng", "--threshold", "f1")
    assert (code, out) == (1, "")
    assert "double.png" in err


def test_the_table_of_thresholds_shows_the_effect_of_each(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path
) -> None:
    code, out, err = run(
        capsys,
        *("model", "threshold", report.path, "--try", report.threshold.value * 1.5, "--json"),
        *("--good", parts / "test" / "good", "--defect", parts / "test", "--method", "tail"),
    )
    assert code == 0, err
    found = json.loads(out)
    rows = {row["name"]: row for row in found["thresholds"]}
    assert list(rows) == ["0.1%", "0.5%", "1.0%", "2.0%", "5.0%", "10.0%", "20.0%", "model", "tried"]
    assert rows["model"]["threshold"] == report.threshold.value
    assert rows["0.1%"]["sample_too_small"]
    for row in rows.values():
        assert row["false_alarms"]["total"] == report.images
        assert row["overkill"]["total"] == 8
        assert row["escapes"]["total"] > 0
        assert row["false_alarms"]["low"] <= row["false_alarms"]["rate"] <= row["false_alarms"]["high"]
    assert rows["tried"]["overkill"]["count"] <= rows["model"]["overkill"]["count"]
    code, out, err = run(capsys, "model", "threshold", report.path)
    assert code == 0
    reported = out.splitlines()
    assert reported[0].split()[:3] == ["for", "rate", "threshold"]
    of_model = next(line for line in reported if "model" in line)
    assert re.search(r"\d+ of \d+, [0-9.]+% \([0-9.]+% to [0-9.]+%\)", of_model)
    named = [re.split(r"\*? +(?=[0-9]+\.[0-9]{4} )", line.strip())[0] for line in reported[1:]]
    assert sorted(", ".join(named).split(", ")) == sorted(set(rows) - {"tried"})
    values = [re.findall(r" ([0-9]+\.[0-9]{4}) ", line)[0] for line in reported[1:]]
    assert len(set(values)) == len(values)
    assert says(err, "rate-assumed")


def test_an_image_that_cannot_be_scored_does_not_stop_the_table(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    shutil.copy(sorted((parts / "test" / "good").iterdir())[0], tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"junk")
    code, out, err = run(capsys, "model", "threshold", report.path, "--good", tmp_path, "--json")
    assert code == 1
    assert "broken.png" in err
    assert json.loads(out)["thresholds"][0]["overkill"]["total"] == 1


@pytest.mark.slow
def test_an_exported_model_verifies_against_its_original(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.model"
    code, out, err = run(capsys, "model", "export", report.path, "--out", copy, "--json")
    assert code == 0, err
    assert json.loads(out)["digest"] == report.digest
    parity = json.loads(out)["parity"]
    assert parity["flips"] == 0
    code, out, _ = run(capsys, "model", "export", report.path, "--out", copy)
    assert (code, f" {parity['images']} " in out) == (0, True)
    code, out, _ = run(capsys, "model", "verify", copy)
    assert (code, report.digest in out) == (0, True)
    images = ("--images", parts / "test" / "scratch")
    code, out, _ = run(capsys, "model", "verify", copy, "--against", report.path, *images, "--json")
    assert (code, json.loads(out)["parity"]["images"]) == (0, 3)
    copy.write_bytes(copy.read_bytes()[:-1])
    code, out, err = run(capsys, "model", "verify", copy)
    assert (code, out) == (1, "")
    assert says(err, "model-damaged", member="title")


@pytest.mark.parametrize(
    "command",
    [
        ["model", "threshold"],
        ["model", "export"],
        ["model", "verify"],
        ["gate", "learn"],
        ["item", "list"],
        ["item", "threshold"],
    ],
)
def test_help_shows_examples(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert f"imageflow {' '.join(command)} " in out


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_threshold_command_refuses_a_detector(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: Language
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    for kind in DETECTION_KINDS:
        path = tmp_path / f"{kind}.model"
        path.write_bytes(pack({"format_version": 1, "kind": kind}, {}))
        code, out, err = run(capsys, "model", "threshold", path)
        assert (code, out) == (1, "")
        assert says(err, "detector-threshold", language, name=path.name)
