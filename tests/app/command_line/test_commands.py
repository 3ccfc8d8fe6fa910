import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import Backbone, TrainingReport
from inspection.imaging.files import encode_png, read_image
from inspection.pipeline import ready_definition, ready_names, validate_definition
from models.messages import error_text
from models.storage import write_atomically
from tests.support.command import run
from tests.support.messages import says


def test_inspect_prints_one_json_object_a_line_with_an_overlay_for_each(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    code, out, _ = run(
        capsys, "inspect", "--model", report.path, "--json", "--out", tmp_path / "o", parts / "test" / "scratch"
    )
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert all(list(line) == ["file", "verdict", "score", "threshold", "steps", "ms"] for line in lines)
    assert [Path(line["file"]).name for line in lines] == ["800.png", "801.png", "802.png"]
    for line in lines:
        assert line["verdict"] == ("NG" if line["score"] > line["threshold"] else "OK")
        assert [step["step_id"] for step in line["steps"]] == ["anomaly", "overlay"]
        assert line["ms"] > 0
        overlay = tmp_path / "o" / Path(line["file"]).name
        assert read_image(overlay).shape == read_image(Path(line["file"])).shape


def test_inspect_gives_the_details_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    image = parts / "test" / "scratch" / "800.png"
    arguments = ("inspect", "--model", report.path, "--threshold", "0.001", "--out", tmp_path / "o", image)
    code, out, _ = run(capsys, *arguments, "--json", "--details")
    line = json.loads(out)
    assert (code, line["verdict"], line["reasons"]) == (0, "NG", ["anomaly-score"])
    assert line["detections"]
    assert line["confidence"] > 0.99
    assert Path(line["overlay"]).is_file()
    code, _, err = run(capsys, *arguments, "--details")
    assert code == 2
    assert "--details" in err


def test_inspect_judges_by_the_models_own_threshold_when_criteria_name_another_model(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    image = parts / "test" / "scratch" / "800.png"
    model = hashlib.sha256(report.path.read_bytes()).hexdigest()
    for named, used, reported in (
        (model, 0.01, ""),
        ("b" * 64, report.threshold.value, "criteria-threshold-not-applicable"),
    ):
        criteria = {"threshold": 0.01, "threshold_model": named}
        write_atomically(tmp_path / "c.json", json.dumps(criteria).encode())
        arguments = ("inspect", "--model", report.path, "--criteria", tmp_path / "c.json", "--json", image)
        code, out, err = run(capsys, *arguments)
        assert (code, json.loads(out)["threshold"]) == (0, used)
        assert says(err, reported) if reported else (err == "")
        assert json.loads(run(capsys, *arguments, "--threshold", "0.02")[1])["threshold"] == 0.02


@pytest.mark.slow
def test_inspect_reports_in_text_too_what_was_found(
    capsys: pytest.CaptureFixture[str],
    report: TrainingReport,
    parts: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights, video = data / "weights" / "yolo11n_int8_320.onnx", data / "video" / "bottle-detection.mp4"
    code, out, err = run(capsys, "inspect", "--model", weights, "--frames", 1, video)
    assert code == 0, err
    assert re.fullmatch(r"NG .*  bottle ×3 0\.\d\d-0\.\d\d\n", out)
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    image = parts / "test" / "scratch" / "800.png"
    code, out, err = run(capsys, "inspect", "--model", report.path, "--threshold", "0.001", image)
    assert code == 0, err
    region = re.escape(error_text("finding-anomaly", {}, "ja").detail)
    assert re.search(rf"  {region} (×\d+ )?[01]\.\d\d", out)


def test_an_overlay_never_takes_the_place_of_an_image(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    image = Path(shutil.copy(parts / "test" / "scratch" / "800.png", tmp_path))
    # The second double of a name would be called like this image.
    (tmp_path / "deep").mkdir()
    shutil.copy(image, tmp_path / "deep" / "part.png")
    other = Path(shutil.copy(image, tmp_path / "part-2.png"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    for given in ([image], [tmp_path], [tmp_path / "deep" / "part.png", tmp_path / "deep" / "part.png", other]):
        code, out, err = run(capsys, "inspect", "--model", report.path, "--out", tmp_path, *given)
        assert (code, out) == (1, "")
        assert says(err, "overlay-over-image")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_overlays_of_an_earlier_run_are_not_inspected_as_parts(
    report: TrainingReport, good_paths: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in good_paths[:2]:
        shutil.copy(path, tmp_path)
    arguments = ("inspect", "--model", report.path, "--json", "--out", tmp_path / "checked", tmp_path)
    for runs in (1, 2):
        _, out, err = run(capsys, *arguments)
        assert err == ""
        # What an earlier run left is kept: it may be evidence, or a photograph.
        assert len(list((tmp_path / "checked").iterdir())) == 2 * runs
        files = sorted(Path(json.loads(line)["file"]).name for line in out.splitlines())
        assert files == sorted(path.name for path in good_paths[:2])
    for path in tmp_path.glob("*.png"):
        path.unlink()
    code, _, err = run(capsys, *arguments)
    assert (code, str(tmp_path) in err) == (1, True)


def test_doubles_of_a_name_get_overlays_of_their_own(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    image = parts / "test" / "scratch" / "800.png"
    code, out, _ = run(capsys, "inspect", "--model", report.path, "--out", tmp_path, image, image)
    assert (code, len(out.splitlines())) == (0, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["800-2.png", "800.png"]


def test_a_name_that_no_step_uses_is_not_reported_as_a_missing_file(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path
) -> None:
    image = parts / "test" / "scratch" / "800.png"
    code, out, err = run(capsys, "inspect", "--model", f"other={report.path}", image)
    assert (code, out) == (2, "")
    assert all(named in err for named in ("--model", "'other'", "default"))
    code, out, err = run(capsys, "inspect", "--model", report.path, "--model", report.path, image)
    assert (code, out) == (2, "")
    assert all(named in err for named in ("--model", "'default'", "NAME=FILE"))


def test_inspect_gives_the_model_file_to_the_one_model_a_pipeline_names(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    step = {"id": "a", "component": "anomaly", "parameters": {"model": "casting"}, "inputs": {"image": "input"}}
    (tmp_path / "p.json").write_text(json.dumps({"name": "p", "steps": [step]}))
    image = parts / "test" / "scratch" / "800.png"
    code, out, err = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", "--model", report.path, "--json", image)
    assert code == 0, err
    assert json.loads(out)["threshold"] == report.threshold.value
    code, _, err = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", image)
    assert code == 1
    assert says(err, "pipeline-model-missing", name="casting")
    named = ("--model", f"casting={report.path}")
    again = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", *named, "--json", image)[1]
    assert json.loads(again)["score"] == json.loads(out)["score"]
    code, _, err = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", *named, *named, image)
    assert code == 2
    code, _, err = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", "--model", f"casting={image}", image)
    assert code == 1
    assert says(err, "pipeline-model-kind", given="reference-image")


@pytest.mark.parametrize("command", ["inspect", "train", "evaluate"])
def test_a_wrong_environment_is_reported_by_name(
    capsys: pytest.CaptureFixture[str],
    report: TrainingReport,
    parts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.setenv("IMAGEFLOW_THREADS", "many")
    folder = parts / "test" / "scratch"
    arguments = {
        "inspect": ("inspect", "--model", report.path, folder),
        "train": ("train", "images", "--good", folder, "--out", tmp_path / "m.model"),
        "evaluate": ("evaluate", "--model", report.path, "--good", folder, "--defect", folder),
    }
    code, out, err = run(capsys, *arguments[command])
    assert (code, out) == (1, "")
    assert "IMAGEFLOW_THREADS" in err


def test_outputs_that_cannot_be_written_are_reported(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    folder = parts / "test" / "scratch"
    for arguments in (
        ("inspect", "--model", report.path, "--out", tmp_path / "file", folder),
        ("inspect", "--model", report.path, "--out", tmp_path / "file" / "deep", folder),
        ("train", "images", "--good", folder, "--out", tmp_path / "file" / "m.model"),
        ("model", "backbone", "--out", tmp_path / "file"),
    ):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (1, "")
        assert says(err, "file-not-written")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_a_class_without_a_usable_image_does_not_spoil_the_table(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    shutil.copytree(parts / "test" / "scratch", tmp_path / "scratch")
    (tmp_path / "burr").mkdir()
    (tmp_path / "burr" / "x.png").write_bytes(b"junk")
    code, out, err = run(
        capsys, "evaluate", "--model", report.path, "--good", parts / "test" / "good", "--defect", tmp_path
    )
    assert code == 1
    (burr,) = (line for line in out.splitlines() if line.strip().startswith("burr:"))
    assert re.findall(r"\d+", burr)[:2] == ["0", "0"]
    shares = [line for line in out.splitlines() if line.startswith(("escapes", "overkill"))]
    assert all(re.search(r"\[95 %: [0-9.]+%-[0-9.]+%\]$", line) for line in shares), shares
    assert "x.png" in err


def test_inspect_continues_after_a_bad_file(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"junk")
    good = parts / "test" / "good" / "0500.png"
    code, out, err = run(capsys, "inspect", "--model", report.path, "--json", bad, tmp_path / "none.png", good)
    assert code == 1
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(good)]
    assert f"{bad}: " in err
    assert f"{tmp_path / 'none.png'}: " in err


def test_inspect_runs_a_pipeline_without_a_model(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path
) -> None:
    step = {"id": "edges", "component": "filter", "parameters": {"filter_type": "edge"}, "inputs": {"image": "input"}}
    (tmp_path / "p.json").write_text(json.dumps({"name": "edges", "steps": [step]}))
    image = parts / "test" / "good" / "0500.png"
    code, out, _ = run(capsys, "inspect", "--pipeline", tmp_path / "p.json", "--json", image)
    line = json.loads(out)
    assert (code, line["verdict"], line["score"], line["threshold"]) == (0, "OK", None, None)


@pytest.mark.parametrize("command", [["inspect"], ["train", "images"], ["evaluate"], ["model", "backbone"]])
def test_help_shows_examples(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert f"imageflow {' '.join(command)} " in out


@pytest.mark.slow
def test_what_train_writes_is_what_evaluate_then_show_read(
    capsys: pytest.CaptureFixture[str], backbone: Backbone, parts: Path, tmp_path: Path
) -> None:
    for path in sorted((parts / "good").iterdir())[:12]:
        (tmp_path / "good").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "good")
    shutil.copytree(parts / "test" / "scratch", tmp_path / "scratch")
    model = tmp_path / "models" / "m.model"
    code, out, err = run(
        capsys,
        *("train", "images", "--good", tmp_path, "--out", model, "--bank-size", 300, "--folds", 2, "--json"),
    )
    assert code == 0, err
    trained = json.loads(out)
    assert (trained["images"], trained["groups"]) == (12, 12)
    assert trained["left_out"] == {"scratch": 3}
    assert says(err, "folder-left-out", folder=tmp_path / "scratch", count=3)
    assert says(err, "threshold-assumed")  # 12 images cannot show 5 %

    _, out, _ = run(
        capsys,
        *("evaluate", "--model", model, "--good", parts / "test" / "good", "--defect", parts / "test"),
        *("--masks", parts / "masks", "--json"),
    )
    found = json.loads(out)
    assert {"image_auroc", "pixel_auroc", "escapes", "overkill", "threshold", "latency_ms"} <= found.keys()
    assert found["model"] == trained["digest"]

    _, out, _ = run(capsys, "model", "show", model, "--json")
    assert json.loads(out)["threshold"]["value"] == trained["threshold"]
    _, out, _ = run(capsys, "model", "list", tmp_path, "--json")
    assert [json.loads(line)["digest"] for line in out.splitlines()] == [trained["digest"]]
    code, out, _ = run(capsys, "model", "show", model)
    assert code == 0
    assert trained["digest"] in out


def test_training_with_too_few_images_leaves_no_folder_behind(
    capsys: pytest.CaptureFixture[str], backbone: Backbone, parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "good").mkdir()
    shutil.copy(next((parts / "good").iterdir()), tmp_path / "good")
    out = tmp_path / "models" / "line-1" / "m.model"
    code, _, _ = run(capsys, "train", "images", "--good", tmp_path / "good", "--out", out)
    assert code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


def test_inspect_judges_the_codes_it_reads_by_the_criteria(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = data / "codes" / "qrcode-3" / "01.webp"
    expected = image.with_suffix(".txt").read_bytes().decode()
    code, out, err = run(
        capsys, "inspect", "--pipeline", "codes", "--json", "--details", "--out", tmp_path / "o", image
    )
    assert code == 0, err
    line = json.loads(out)
    assert [(found["text"], found["format"]) for found in line["codes"]] == [(expected, "qr")]
    assert Path(line["overlay"]).is_file()
    rule = {"codes": {"lot": {"text": expected}, "box": {"formats": ["ean-13"]}}}
    (tmp_path / "c.json").write_text(json.dumps(rule))
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    code, out, err = run(capsys, "inspect", "--pipeline", "codes", "--criteria", tmp_path / "c.json", image)
    assert code == 0, err
    assert out.startswith("NG")
    assert says(out, "verdict-code-missing", "ja", name="box")
    assert "lot" not in out.replace(json.dumps(expected), "")
    assert json.dumps(expected) in out


@pytest.mark.parametrize("name", ["codes", "codes-and-anomaly"])
def test_a_part_without_a_readable_code_is_ng_for_that_reason(
    capsys: pytest.CaptureFixture[str],
    report: TrainingReport,
    parts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    image = parts / "test" / "good" / "0500.png"
    arguments = ["inspect", "--pipeline", name, image, "--threshold", "1e6"]
    arguments += ["--model", report.path] if name != "codes" else []
    code, out, err = run(capsys, *arguments, "--json", "--details")
    assert code == 0, err
    line = json.loads(out)
    assert (line["verdict"], line["reasons"], line["codes"]) == ("NG", ["code-none"], [])
    assert says(run(capsys, *arguments)[1], "verdict-code-none")
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    assert says(run(capsys, *arguments)[1], "verdict-code-none", "ja")
    (tmp_path / "c.json").write_text(json.dumps({"codes": {"any": {"least": 0}}}))
    assert run(capsys, *arguments, "--criteria", tmp_path / "c.json")[1].startswith("OK")


def test_the_short_json_lists_codes_only_where_codes_are_read(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    image = data / "codes" / "qrcode-3" / "01.webp"
    expected = image.with_suffix(".txt").read_bytes().decode()
    code, out, err = run(capsys, "inspect", "--pipeline", "codes", "--json", image)
    assert code == 0, err
    line = json.loads(out)
    assert list(line) == ["file", "verdict", "score", "threshold", "steps", "ms", "codes"]
    assert line["codes"] == [{"text": expected, "format": "qr"}]
    code, out, err = run(capsys, "inspect", "--pipeline", "count", "--json", image)
    assert code == 0, err
    assert "codes" not in json.loads(out)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"codes": {"lot": {"text": "x"}}, "threshold": 3}, ["criteria", "--criteria"]),
        ({"name": "p"}, ["steps"]),
        ({"name": "p", "steps": [{"id": "a", "component": "bluur", "inputs": {"image": "input"}}]}, ["bluur"]),
        ([], ["pipeline"]),
        (None, ["JSON"]),
    ],
)
def test_a_file_that_is_no_pipeline_is_refused_by_its_name(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path, content: object, words: list[str]
) -> None:
    (tmp_path / "lot.json").write_text("{" if content is None else json.dumps(content))
    code, out, err = run(capsys, "inspect", "--pipeline", tmp_path / "lot.json", parts / "test" / "good" / "0500.png")
    assert (code, out) == (1, "")
    reported = err.replace("\n", "")
    assert "lot.json" in reported
    assert any(word in reported for word in words)
    assert says(reported, "pipeline-file-criteria") == ("criteria" in words)


def test_inspect_refuses_an_unknown_pipeline_or_criterion(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path
) -> None:
    image = parts / "test" / "scratch" / "800.png"
    code, _, err = run(capsys, "inspect", "--pipeline", "colours", image)
    assert code == 1
    assert all(name in err for name in ready_names())
    (tmp_path / "c.json").write_text(json.dumps({"measurements": {"bore": {"lower": "wide"}}}))
    for rule, word in ((tmp_path / "c.json", "measurements.bore.lower"), (tmp_path / "none.json", "none.json")):
        code, _, err = run(capsys, "inspect", "--pipeline", "count", "--criteria", rule, image)
        assert code == 1
        assert word in err.replace("\n", "")


def test_every_ready_pipeline_is_a_valid_one_that_the_help_names(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "inspect", "--help")
    for name in ready_names():
        assert validate_definition(ready_definition(name)).definition.description
        assert name in out


def test_inspect_counts_with_the_ready_pipeline(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pixels = np.full((100, 160), 220, np.uint8)
    for place in (20, 60, 100):
        pixels[40:60, place : place + 20] = 30
    write_atomically(tmp_path / "a.png", encode_png(pixels))
    code, out, err = run(capsys, "inspect", "--pipeline", "count", tmp_path / "a.png")
    assert code == 0, err
    assert "count 3" in out


def test_inspect_aligns_a_part_to_its_reference_or_reports_why_not(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, good_paths: list[Path], tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320)).astype(np.uint8)
    write_atomically(tmp_path / "noise.png", encode_png(noise))
    models = ("--model", f"default={report.path}", "--model", f"reference={good_paths[0]}")
    part = parts / "test" / "scratch" / "800.png"
    code, out, err = run(
        capsys, "inspect", "--pipeline", "aligned-anomaly", *models, "--json", part, tmp_path / "noise.png"
    )
    assert code == 1
    (line,) = out.splitlines()
    assert [step["step_id"] for step in json.loads(line)["steps"]] == ["align", "anomaly", "overlay"]
    assert "noise.png" in err
    assert "reference" in err
