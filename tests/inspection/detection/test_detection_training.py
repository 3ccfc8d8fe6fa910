"""Training a detector from end to end: offline, killed on the way, resumed, exported, run."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.benchmarks.inspection.detection import SETTING, measure
from app.command_line import main
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import DetectionSettings
from inspection.detection.model_file.bundle import read_detector
from inspection.detection.model_file.manifest import FORMAT_VERSION, DetectorManifest
from inspection.imaging.files import read_image
from inspection.model_files.archive import pack, unpack
from inspection.model_library.loading import load_model
from tests.support.awaiting import wait_until
from tests.support.messages import says
from tests.support.offline import Offline

CLASSES = ("crazing", "inclusion", "patches", "pitted_surface", "rolled-in_scale", "scratches")
PROGRAM = "from app.command_line import main; main()"
# A program that was started in the background does not listen to Ctrl-C.
LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
DEADLINE_S = 240.0
EPOCHS = 2
# It is killed by itself: a kill from outside comes some epochs late on a busy machine. The accuracy ends an epoch: what
# comes before on a busy machine are lines of an epoch that goes on.
KILLED = """
import os, signal, sys
from app.command_line import main
write = sys.stderr.write
def killed_after_an_epoch(text):
    written = write(text)
    if "Epoch 1/" in text and "mAP50" in text:
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return written
sys.stderr.write = killed_after_an_epoch
main()
"""


def subset(source: Path, folder: Path, *, train: int, val: int) -> Path:
    """A few images of each class of the steel data, and their data.yaml."""
    for part, count in (("train", train), ("val", val)):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for name in CLASSES:
            for image in sorted((source / "images" / part).glob(f"{name}_*.jpg"))[:count]:
                (folder / "images" / part / image.name).write_bytes(image.read_bytes())
                label = source / "labels" / part / f"{image.stem}.txt"
                (folder / "labels" / part / label.name).write_bytes(label.read_bytes())
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    # What ultralytics would run to fetch the data must never be run.
    text = f"train: images/train\nval: images/val\ndownload: |\n  raise SystemExit('ran')\nnames:\n{names}"
    (folder / "data.yaml").write_text(text)
    return folder / "data.yaml"


@dataclass(frozen=True)
class Trained:
    folder: Path
    data: Path
    killed_at: str
    report: dict[str, Any]
    attempts: list[str]
    untouched: bool


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A detector whose training was killed after its first epoch and then resumed, all without a network."""
    folder = tmp_path_factory.mktemp("detector")
    described = subset(data / "neu_det", folder / "data", train=3, val=2)
    before = {path: path.stat().st_mtime_ns for path in (folder / "data").rglob("*")}
    offline = Offline(tmp_path_factory.mktemp("offline"))
    start = ["train", "detector"]
    # All of it named from where the program is started, though the training itself works elsewhere.
    begin = ["--data", "data/data.yaml", "--out", "d.model", "--epochs", str(EPOCHS), "--imgsz", "64"]
    first = subprocess.run(
        offline.command([sys.executable, "-c", KILLED, *start, *begin, "--batch", "6", "--json"]),
        env=offline.environment(),
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        timeout=DEADLINE_S,
        check=False,
    )
    killed_at = first.stderr.splitlines()[-1]
    resumed = subprocess.run(
        offline.command([sys.executable, "-c", PROGRAM, *start, "--resume", "d.training", "--json"]),
        env=offline.environment(),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=DEADLINE_S,
        check=False,
    )
    assert resumed.returncode == 0, resumed.stderr
    after = {path: path.stat().st_mtime_ns for path in (folder / "data").rglob("*")}
    return Trained(
        folder, described, killed_at, json.loads(resumed.stdout), offline.attempts(), untouched=before == after
    )


def test_a_killed_training_goes_on_from_its_last_whole_epoch(trained: Trained) -> None:
    assert trained.killed_at.startswith(f"Epoch 1/{EPOCHS}")
    assert trained.report["epochs"] == EPOCHS
    log = (trained.folder / "d.training" / "training.log").read_text()
    assert re.search(rf"Resuming training .* from epoch 2 to {EPOCHS}", log)


def test_training_a_detector_tries_no_connection(trained: Trained) -> None:
    assert trained.attempts == []


def test_the_users_folder_is_left_as_it_was(trained: Trained) -> None:
    assert trained.untouched


def test_the_report_has_average_precision_for_every_class(trained: Trained) -> None:
    report = trained.report
    assert set(report["classes"]) == set(CLASSES)
    assert all(0 <= value["map50_95"] <= value["map50"] <= 1 for value in report["classes"].values())
    exact = report["models"][0]["parity"]["f32"]
    assert exact["reference"] == "torch"
    assert exact["matched"] >= 0.99
    assert exact["worst_iou"] >= 0.99
    assert exact["worst_confidence"] <= 1e-3
    assert json.loads((trained.folder / "d.training" / "report.json").read_text()) == report


def test_the_int8_file_is_there_when_it_passed_else_its_numbers_are_reported(trained: Trained) -> None:
    written = next(model for model in trained.report["models"] if model["precision"] == "int8")
    parity = written["parity"]["f32"]
    passed = parity["matched"] >= 0.9 and max(parity["map50_drop"], parity["map50_95_drop"]) <= 0.02
    assert (written["model"] is not None) == passed == (trained.folder / "d.int8.model").exists()
    assert written["refused"] == (None if passed else "detector-int8-refused")


def test_the_file_runs_as_a_stations_model(trained: Trained) -> None:
    model = load_model(trained.folder / "d.model")
    assert isinstance(model, Detector)
    assert model.description.names == CLASSES
    assert (model.description.height, model.description.width) == (64, 64)
    image = read_image(next((trained.data.parent / "images" / "val").iterdir()))
    found = model.find(image, DetectionSettings(confidence=0.0001))
    assert np.isfinite(found.boxes).all()
    assert read_detector(trained.folder / "d.model").digest == trained.report["models"][0]["digest"]


def test_only_what_a_person_may_want_stays_of_the_run(trained: Trained) -> None:
    assert {path.name for path in (trained.folder / "d.training").iterdir()} == {
        "report.json",
        "request.json",
        "running.lock",
        "trained.json",
        "training",
        "training.log",
    }
    assert (trained.folder / "d.training" / "training" / "weights" / "best.pt").is_file()


def test_a_run_that_is_done_is_not_resumed(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = command(capsys, "--resume", trained.folder / "d.training")
    assert (code, says(err, "training-run-done")) == (1, True)


def test_a_folder_without_an_unfinished_run_is_not_used(
    trained: Trained, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "x.training").mkdir()
    (tmp_path / "x.training" / "diary.txt").write_text("mine")
    code, err = command(capsys, "--data", trained.data, "--out", tmp_path / "x.model")
    assert (code, says(err, "training-run-foreign")) == (1, True)
    assert (tmp_path / "x.training" / "diary.txt").read_text() == "mine"
    code, err = command(capsys, "--resume", tmp_path)
    assert (code, says(err, "training-run-missing")) == (1, True)


def test_the_model_commands_show_what_a_detectors_file_holds(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["show", trained.folder / "d.model"], ["list", trained.folder]):
        with pytest.raises(SystemExit):
            main(["model", *map(str, arguments)])
        assert "mAP50" in capsys.readouterr().out


def test_a_detector_file_is_verified_against_its_own_record_or_another_file(
    trained: Trained, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = trained.folder / "d.model"

    def verify(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["model", "verify", *map(str, arguments)])
        reported = capsys.readouterr()
        return int(ended.value.code or 0), reported.out, reported.err

    code, out, _ = verify(path)
    assert code == 0
    assert "100.0%" in out
    images = trained.data.parent / "images" / "val"
    code, out, _ = verify(path, "--against", path, "--images", images, "--json")
    assert (code, json.loads(out)["parity"]["matched"]) == (0, 1.0)
    archive = unpack(path.read_bytes(), path.name, FORMAT_VERSION)
    moved = [[[value + 40 for value in row[:4]] + row[4:] for row in rows] for rows in archive.manifest["probe"]]
    (tmp_path / "other.model").write_bytes(pack({**archive.manifest, "probe": moved}, archive.parts))
    code, _, err = verify(tmp_path / "other.model")
    assert (code, says(err, "detector-verify")) == (1, True)
    with pytest.raises(SystemExit) as ended:
        main(["model", "export", str(path), "--out", str(tmp_path / "x.model")])
    assert ended.value.code == 1
    assert says(capsys.readouterr().err, "detector-export", member="title")


@pytest.mark.slow
def test_the_benchmark_runs_on_a_trained_detector(
    trained: Trained, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, str(trained.folder / "d.model"))
    figures = {figure.name: figure for figure in measure(data / "neu_det", rounds=1)}
    assert figures["detection_map50"].value == trained.report["map50"]
    ratio = figures["detection_speed_ratio"]
    fastest, torch = figures["detection_ms_p50"].value, figures["ultralytics_torch_predict_ms_p50"].value
    assert ratio.value is not None
    assert fastest is not None
    assert torch is not None
    assert ratio.value == pytest.approx(torch / fastest)
    assert min(fastest, torch) > 0


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["train", "detector", *map(str, arguments)])
    reported = capsys.readouterr()
    assert "Traceback" not in reported.err
    return int(ended.value.code or 0), reported.err


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"data.yaml": "train: [\n"}, "description of the training data is invalid"),
        ({"data.yaml": "train: images/train\nval: images/val\nnames: {1: a}\n"}, '"names" must hold'),
        ({"data.yaml": "train: images/train\nnames: [a]\n"}, '"val" does not name'),
        ({"data.yaml": "train: images/none\nval: images/val\nnames: [a]\n"}, "does not exist"),
        ({"labels/train/crazing_1.txt": "0 0.5 0.5 0.2\n"}, "line 1: 4 values"),
        ({"labels/train/crazing_1.txt": "0 0.5 0.5 0.2 0.2\n9 0.5 0.5 0.2 0.2\n"}, "line 2: the class is 9"),
        ({"labels/train/crazing_1.txt": "scratch 0.5 0.5 0.2 0.2\n"}, "not a number"),
        ({"labels/train/crazing_1.txt": "0 0.5 0.5 1.2 0.2\n"}, "between 0 and 1"),
    ],
)
def test_data_that_cannot_be_used_are_reported_before_anything_is_trained(
    data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, change: dict[str, str], reported: str
) -> None:
    described = subset(data / "neu_det", tmp_path / "data", train=1, val=1)
    image = next((tmp_path / "data" / "images" / "train").glob("crazing_*"))
    image.rename(image.with_stem("crazing_1"))
    for name, text in change.items():
        (tmp_path / "data" / name).write_text(text)
    code, err = command(capsys, "--data", described, "--out", tmp_path / "m.model")
    assert code == 1
    assert reported in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_data_without_any_usable_label_or_image_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    described = subset(data / "neu_det", tmp_path / "data", train=1, val=1)
    for label in (tmp_path / "data" / "labels" / "val").iterdir():
        label.write_text("\n")
    code, err = command(capsys, "--data", described, "--out", tmp_path / "m.model")
    assert (code, says(err, "detector-data-empty", part="val")) == (1, True)
    for image in (tmp_path / "data" / "images" / "train").iterdir():
        image.write_bytes(image.read_bytes()[:500])
    code, err = command(capsys, "--data", described, "--out", tmp_path / "m.model")
    assert (code, says(err, "image-truncated")) == (1, True)


@pytest.mark.slow
def test_the_code_in_a_checkpoint_is_not_run(data: Path, tmp_path: Path) -> None:
    described = subset(data / "neu_det", tmp_path / "data", train=1, val=1)
    evil = tmp_path / "evil.pt"
    program = (
        "import os, sys, torch\n"
        "class Evil:\n"
        "    def __reduce__(self):\n"
        "        return os.mkdir, (sys.argv[2],)\n"
        "torch.save({'model': Evil()}, sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", program, str(evil), str(tmp_path / "ran")], check=True)
    arguments = ["--data", str(described), "--out", str(tmp_path / "m.model"), "--model", str(evil), "--imgsz", "64"]
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, "train", "detector", *arguments], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 1
    assert says(finished.stderr, "detector-training-failed")
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "m.model").exists()


def test_ctrl_c_ends_the_training_process_saying_how_to_resume(data: Path, tmp_path: Path) -> None:
    described = subset(data / "neu_det", tmp_path / "data", train=2, val=1)
    arguments = ["--data", str(described), "--out", str(tmp_path / "m.model"), "--imgsz", "64", "--epochs", "50"]
    process = subprocess.Popen(
        [sys.executable, "-c", f"{LISTEN}; {PROGRAM}", "train", "detector", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    log = tmp_path / "m.training" / "training.log"
    assert wait_until(lambda: log.exists() and bool(children(process.pid)))
    child = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert says(err, "detector-training-stopped", folder=tmp_path / "m.training")
    assert wait_until(lambda: not any(Path(f"/proc/{number}").exists() for number in child))


def children(parent: int) -> list[int]:
    """Processes below one, as the system lists them."""
    tasks = Path(f"/proc/{parent}/task").iterdir()
    return [int(number) for task in tasks for number in (task / "children").read_text().split()]


def test_the_manifest_says_what_it_was_made_from(trained: Trained) -> None:
    manifest: DetectorManifest = read_detector(trained.folder / "d.model").manifest
    assert manifest.data.train_images == 18
    assert manifest.data.val_images == 12
    assert manifest.training["architecture"] == "yolo11n"
    assert {"openvino", "torch", "ultralytics"} <= set(manifest.versions)
    assert os.sep not in json.dumps(manifest.model_dump(mode="json")["training"])
