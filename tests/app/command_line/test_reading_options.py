"""Training, inspection and evaluation read deep images alike, and what is not known is asked for by an option."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inspection.anomaly import Backbone, TrainingReport, load_bundle, train_images
from inspection.anomaly.threshold.evidence import gather_evidence
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.imaging.set_range import SetRange
from inspection.imaging.value_range import ValueRange
from inspection.model_files import archive
from tests.support.command import run
from tests.support.messages import says
from tests.support.trained_model import SMALL

BOARD = ("--columns", 9, "--rows", 6, "--square-mm", 5)
TEN_BITS = ValueRange.of_bits(10)


def deepen(path: Path, folder: Path) -> Path:
    """Write an image as 10 bits at the low end of 16, whose upper 8 bits it is."""
    folder.mkdir(parents=True, exist_ok=True)
    values = cv2.cvtColor(read_image(path), cv2.COLOR_RGB2BGR).astype(np.uint16) << 2 | 1
    target = folder / path.name
    target.write_bytes(cv2.imencode(".png", values)[1].tobytes())
    return target


@pytest.fixture(scope="module")
def deep(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn parts in 10 bits: ``good`` to train on, ``unseen`` and ``scratch`` to test."""
    folder = tmp_path_factory.mktemp("deep")
    for name, source, count in (("good", "good", 8), ("unseen", "test/good", 3), ("scratch", "test/scratch", 3)):
        for path in sorted((parts / source).iterdir())[:count]:
            deepen(path, folder / name)
    return folder


@pytest.fixture(scope="module")
def trained(deep: Path, backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    del backbone
    settings = SMALL.model_copy(update={"bank_size": 150, "folds": 2})
    return train_images(sorted((deep / "good").iterdir()), tmp_path_factory.mktemp("model") / "deep.model", settings)


def scores(out: str) -> list[float]:
    return [json.loads(line)["score"] for line in out.splitlines()]


def test_a_model_keeps_the_range_that_its_images_use(trained: TrainingReport) -> None:
    found = trained.set_range
    assert found is not None
    assert found.values == TEN_BITS
    assert found == SetRange(TEN_BITS, 8, found.largest)
    assert (trained.manifest.value_range, trained.manifest.format_version) == ((0, 1023), 3)
    assert load_bundle(trained.path).manifest.reading.values == TEN_BITS


def test_a_model_of_8_bit_images_is_the_file_it_was_before(report: TrainingReport) -> None:
    assert report.manifest.reading.values is None
    kept = archive.unpack(report.path.read_bytes(), "small.model", 3).manifest
    assert "value_range" not in kept
    assert kept["format_version"] == 2


def test_inspection_reads_deep_images_as_the_training_did(
    capsys: pytest.CaptureFixture[str], trained: TrainingReport, deep: Path, parts: Path
) -> None:
    code, out, err = run(capsys, "inspect", "--model", trained.path, "--json", deep / "unseen")
    assert (code, err) == (0, "")
    model = load_bundle(trained.path)
    shallow = [parts / "test" / "good" / path.name for path in sorted((deep / "unseen").iterdir())]
    assert scores(out) == [model.score(read_image(path)).score for path in shallow]


@pytest.mark.parametrize("watched", [False, True])
def test_an_option_that_contradicts_the_model_is_refused_before_the_first_part(
    capsys: pytest.CaptureFixture[str], trained: TrainingReport, deep: Path, watched: bool
) -> None:
    source = f"watch:{deep / 'unseen'}" if watched else deep / "unseen"
    code, out, err = run(capsys, "inspect", "--model", trained.path, "--bit-depth", 12, source)
    assert (code, out) == (1, "")
    assert says(err, "model-range-differs")
    assert err.count("\n") <= 2


def test_a_bit_depth_that_contradicts_a_range_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], trained: TrainingReport, deep: Path
) -> None:
    both = ("--bit-depth", 10, "--range", "0:4095")
    code, _, err = run(capsys, "inspect", "--model", trained.path, *both, deep / "unseen")
    assert code == 2
    assert "--range" in err


@pytest.mark.parametrize("option", [("--bit-depth", 12), ("--range", "0:1"), ("--pages", "first")])
@pytest.mark.parametrize(
    "command", [("inspect", "--pipeline", "codes"), ("gate", "learn", "--out", "g.json"), ("calibrate", *BOARD)]
)
@pytest.mark.parametrize("source", ["usb:0", "line.mp4", "rtsp://camera/live"])
def test_options_of_files_are_wrong_usage_for_cameras(
    capsys: pytest.CaptureFixture[str], source: str, command: tuple[object, ...], option: tuple[object, ...]
) -> None:
    code, out, err = run(capsys, *command, *option, source)
    assert (code, out) == (2, "")
    assert str(option[0]) in err


def test_a_model_of_8_bit_images_asks_for_the_depth_of_deep_ones(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, deep: Path, parts: Path
) -> None:
    code, out, err = run(capsys, "inspect", "--model", report.path, "--json", deep / "unseen")
    assert (code, out) == (1, "")
    assert err.count("--bit-depth 10") == 3
    code, out, _ = run(capsys, "inspect", "--model", report.path, "--json", "--bit-depth", 10, deep / "unseen")
    model = load_bundle(report.path)
    shallow = [parts / "test" / "good" / path.name for path in sorted((deep / "unseen").iterdir())]
    assert code == 0
    assert scores(out) == [model.score(read_image(path)).score for path in shallow]


def test_evaluation_reads_deep_images_as_the_training_did(
    capsys: pytest.CaptureFixture[str], trained: TrainingReport, deep: Path
) -> None:
    folders = ("--good", deep / "unseen", "--defect", deep / "scratch")
    code, out, _ = run(capsys, "evaluate", "--model", trained.path, *folders, "--json")
    assert code == 0
    assert json.loads(out)["skipped"] == {}
    code, _, err = run(capsys, "evaluate", "--model", trained.path, *folders, "--range", "0:4095")
    assert code == 1
    assert says(err, "model-range-differs")


def test_the_effect_of_a_threshold_is_counted_on_images_read_as_the_training_did(
    trained: TrainingReport, deep: Path
) -> None:
    bundle = load_bundle(trained.path)
    from inspection.anomaly.bundle import read_bundle

    evidence, skipped = gather_evidence(read_bundle(trained.path), "deep.model", deep / "unseen", None)
    assert skipped == {}
    expected = [
        bundle.score(read_image(path, reading=bundle.manifest.reading)).score
        for path in sorted((deep / "unseen").iterdir())
    ]
    assert list(evidence.good) == expected


@pytest.mark.slow
def test_train_ends_with_1_for_what_it_left_out_beside_the_depth_it_found(
    capsys: pytest.CaptureFixture[str], backbone: Backbone, deep: Path, tmp_path: Path
) -> None:
    del backbone
    good = tmp_path / "good"
    good.mkdir()
    for path in sorted((deep / "good").iterdir())[:6]:
        (good / path.name).write_bytes(path.read_bytes())
    (good / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    options = ("--bank-size", 100, "--folds", 2, "--json")
    code, out, err = run(capsys, "train", "images", "--good", good, "--out", tmp_path / "m.model", *options)
    answer = json.loads(out)
    assert code == 1
    assert (answer["images"], answer["value_range"]) == (6, [0, 1023])
    assert list(answer["skipped"]) == [str(good / "phone.heic")]
    assert says(err, "depth-found")
    assert (tmp_path / "m.model").is_file()


def test_a_gate_is_learned_with_the_range_that_its_images_use(
    capsys: pytest.CaptureFixture[str], deep: Path, tmp_path: Path
) -> None:
    code, out, err = run(capsys, "gate", "learn", deep / "good", "--out", tmp_path / "gate.json", "--json")
    assert code == 0
    assert json.loads(out)["frames"] == 8
    assert says(err, "depth-found")


def test_a_depth_that_no_image_needs_is_reported(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path
) -> None:
    options = ("--out", tmp_path / "gate.json", "--bit-depth", 12)
    code, _, err = run(capsys, "gate", "learn", parts / "test" / "good", *options)
    assert code == 0
    assert says(err, "depth-not-used", range="0:4095")


def test_pages_are_refused_by_number_unless_the_first_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = Image.new("L", (64, 48), 90)
    picture.save(tmp_path / "lights.tif", save_all=True, append_images=[picture] * 4)
    (tmp_path / "one.png").write_bytes(encode_png(np.zeros((48, 64), np.uint8)))
    code, out, err = run(capsys, "inspect", "--pipeline", "codes", tmp_path)
    assert (code, len(out.splitlines())) == (1, 1)
    assert "5 pages" in err
    assert "--pages first" in err
    code, out, _ = run(capsys, "inspect", "--pipeline", "codes", "--pages", "first", tmp_path)
    assert (code, len(out.splitlines())) == (0, 2)


def test_transparent_parts_are_counted_in_a_note(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rgba = np.zeros((48, 64, 4), np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(rgba).save(tmp_path / name)
    code, _, err = run(capsys, "inspect", "--pipeline", "codes", tmp_path)
    assert code == 0
    assert says(err, "images-transparent")
    assert err.startswith("2 ")


def test_all_that_has_no_verdict_is_named_for_its_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((48, 64), np.uint8)))
    for name in ("b.heic", "c.mp4", "d.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "day2").symlink_to(tmp_path / "not connected")
    code, out, err = run(capsys, "inspect", "--pipeline", "codes", tmp_path)
    assert (code, len(out.splitlines())) == (1, 1)
    assert all(f"{tmp_path / name}: " in err for name in ("b.heic", "c.mp4", "d.png", "day2"))
    assert says(err, "images-not-inspected")
    assert "4 of 5" in err
