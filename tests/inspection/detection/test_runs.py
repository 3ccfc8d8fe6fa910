"""How a training ends: early, killed at the last moment, on a full disk, beside another one; and what it refuses."""

import json
import os
import pickle
import resource
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.benchmarks.inspection.detection import compare_speed
from app.command_line import main
from app.command_line.train_detector import result_lines
from inspection.detection.data.dataset import read_detection_data
from inspection.detection.data.layout import write_training_layout
from inspection.detection.model_file.bundle import read_detector
from inspection.detection.training.child import run_training_process
from inspection.detection.training.process import failure_of
from inspection.detection.training.run_folder import RunFolder, create_run, open_run, write_json
from inspection.detection.training.run_request import RunRequest
from inspection.imaging.files import read_image
from inspection.imaging.opencv import cv2
from models.errors import Conflict, InvalidInput
from tests.support.awaiting import wait_until
from tests.support.detector_files import with_description
from tests.support.drawn_detections import SIDE, draw_detections
from tests.support.messages import says

PROGRAM = "from app.command_line import main; main()"
DEADLINE_S = 240.0
SMALL = ("--imgsz", "32", "--batch", "4", "--precision", "fp32")


def odd_bitmap() -> bytes:
    """A BMP of 10 bits a channel, which OpenCV reads and the training library's own reader does not."""
    pixels = np.random.default_rng(9).integers(0, 2**30, (SIDE, SIDE), dtype=np.uint32).tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    header += struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + pixels


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["train", "detector", *map(str, arguments)])
    reported = capsys.readouterr()
    assert "Traceback" not in reported.err
    return int(ended.value.code or 0), reported.out, reported.err


def program(*arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """The command in a process of its own, which can be killed."""
    started = [sys.executable, "-c", PROGRAM, "train", "detector", *map(str, arguments)]
    return subprocess.Popen(started, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **settings)


def is_free(folder: RunFolder) -> bool:
    try:
        with folder.locked(patience_s=0):
            return True
    except Conflict:
        return False


@pytest.mark.slow
def test_a_training_that_gains_nothing_ends_before_its_epochs_with_a_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = draw_detections(tmp_path / "検査 データ", train=11)
    (described.parent / "images" / "train" / "odd.bmp").write_bytes(odd_bitmap())
    monkeypatch.chdir(tmp_path)
    # At this size a network soon guesses the whole image now and then; the first epoch that guesses worse is the last.
    arguments = ["--imgsz", 96, "--batch", 2, "--precision", "fp32", "--epochs", 40, "--patience", 1]
    code, out, err = command(
        capsys, "--data", "検査 データ/data.yaml", "--out", "モデル/m.model", "--run", "学習 1", *arguments
    )
    assert code == 1, err  # one image was left out
    assert says(err, "detector-images-left-out")
    report = json.loads((tmp_path / "学習 1" / "report.json").read_text(encoding="utf-8"))
    in_time = {**report, "stopped_early": False}
    assert "\n".join(result_lines(report)) in out
    assert result_lines(in_time) != result_lines(report)
    assert report["stopped_early"]
    assert 2 <= report["epochs"] < 40
    assert (report["left_out"], report["warnings"]) == (1, ["left-out"])
    assert read_detector(tmp_path / "モデル" / "m.model").manifest.graph.names == ("傷",)


class Evil:
    """What makes a folder when it is unpickled."""

    def __init__(self, makes: Path) -> None:
        self.makes = makes

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.makes),)


@pytest.mark.slow
def test_a_training_killed_after_its_last_epoch_is_finished_by_the_next_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    described = draw_detections(tmp_path / "data")
    model = ("--out", tmp_path / "m.model", "--model", "yolo26n")
    process = program("--data", described, *model, *SMALL, "--epochs", 1)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Epoch 1/1")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=DEADLINE_S)
    folder = RunFolder(tmp_path / "m.training")
    assert wait_until(lambda: is_free(folder))
    # As it is while the last checkpoint is measured once more.
    folder.trained.unlink(missing_ok=True)
    best = (folder.kept / "best.pt").read_bytes()
    (folder.kept / "best.pt").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    code, _, err = command(capsys, "--resume", folder.path)
    assert (code, says(err, "detector-training-failed")) == (1, True)
    assert not (tmp_path / "ran").exists()
    (folder.kept / "best.pt").write_bytes(best)
    shutil.move(folder.path, tmp_path / "moved")
    code, out, err = command(capsys, "--resume", tmp_path / "moved", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert (report["epochs"], report["stopped_early"]) == (1, False)
    assert read_detector(tmp_path / "m.model").manifest.training["architecture"] == "yolo26n"
    assert report["models"][0]["parity"]["f32"]["matched"] >= 0.99


@pytest.mark.slow
def test_a_disk_that_is_full_when_a_checkpoint_is_written_is_reported_as_that(tmp_path: Path) -> None:
    described = draw_detections(tmp_path / "data")
    # Without the system's fonts, which are larger than the limit.
    environment = {**os.environ, "PATH": str(tmp_path)}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    arguments = ("--data", described, "--out", tmp_path / "m.model", *SMALL, "--epochs", 1)
    process = program(*arguments, preexec_fn=limit, env=environment)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert says(err, "file-disk-full")
    assert "Traceback" not in err


def test_trouble_keeps_its_own_message_where_it_has_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    full = OSError(28, "No space left on device")
    assert failure_of(full, folder)["code"] == "file-disk-full"
    assert failure_of(InvalidInput("image-missing", name="a.png"), folder) == {
        "code": "image-missing",
        "values": {"name": "a.png"},
    }
    assert failure_of(ValueError("odd\nthing"), folder) == {"kind": "ValueError", "reason": "odd thing"}


def test_a_folder_in_which_a_training_runs_is_kept_from_another(tmp_path: Path) -> None:
    place, request = tmp_path / "run", RunRequest(data="data.yaml", out="m.model")
    other = request.model_copy(update={"out": "other.model"})
    with create_run(place, request) as (folder, _):
        # As at its end, when a second one could take it for a run that is done and clear it away.
        write_json(folder.report, {})
        before = {path: path.read_bytes() for path in place.iterdir()}
        for entering in (create_run(place, other, patience_s=0), open_run(place, patience_s=0)):
            with pytest.raises(Conflict) as caught, entering:
                pass
            assert caught.value.code == "training-run-running"
        assert {path: path.read_bytes() for path in place.iterdir()} == before
    assert is_free(folder)


def test_a_foreign_folder_is_rejected_without_creating_a_lock_in_it(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    request = RunRequest(data="data.yaml", out="m.model")
    with pytest.raises(Conflict) as caught, create_run(tmp_path, request, patience_s=0):
        pass
    assert caught.value.code == "training-run-foreign"
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_folder_of_a_training_killed_before_its_request_was_kept_is_used_again(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked():
        pass
    with create_run(tmp_path, RunRequest(data="data.yaml", out="m.model")) as (folder, _):
        assert folder.request.exists()


def test_a_training_interrupted_while_its_process_is_being_started_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    class InterruptedAtOnce(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", InterruptedAtOnce)
    (tmp_path / "log").touch()
    with (tmp_path / "lock").open("w") as lock, pytest.raises(KeyboardInterrupt):
        run_training_process(tmp_path, os.environ, tmp_path / "log", lambda _: None, lock.fileno())
    assert [process.poll() is None for process in started] == [False]


def test_a_run_begun_where_another_is_done_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    request = RunRequest(data="data.yaml", out="m.model")
    with create_run(tmp_path / "run", request) as (folder, _):
        pass
    folder.best.parent.mkdir(parents=True)
    folder.best.write_bytes(b"old")
    write_json(folder.report, {})
    (folder.path / "m.model").write_bytes(b"mine")
    with create_run(folder.path, request):
        pass
    assert sorted(path.name for path in folder.path.iterdir()) == ["m.model", "request.json", "running.lock"]


def test_nothing_of_an_earlier_training_stays_in_the_layout(
    tmp_path: Path,
) -> None:
    data = read_detection_data(draw_detections(tmp_path / "data"))
    first = data.train[0].image
    laid = tmp_path / "run"
    (laid / "labels").mkdir(parents=True)
    (laid / "labels" / "train.cache").write_bytes(b"pickled")
    (laid / "images").symlink_to(first.parent)
    write_training_layout(data, laid)
    assert not (laid / "labels" / "train.cache").exists()
    assert first.exists()
    assert len(list((laid / "images" / "train").iterdir())) == 4


def test_the_training_library_sees_each_image_as_the_inspection_does(tmp_path: Path) -> None:
    described = draw_detections(tmp_path / "data", train=3)
    first, second, third = sorted((described.parent / "images" / "train").iterdir())
    rgba = np.dstack([read_image(first), np.zeros((40, 40), np.uint8)])
    first.write_bytes(cv2.imencode(".png", rgba)[1].tobytes())
    second.rename(second.with_suffix(".pgm"))
    third.write_bytes(cv2.imencode(".png", np.full((40, 40), 40_000, np.uint16))[1].tobytes())
    data = read_detection_data(described)
    assert [file.seen_alike for file in data.train] == [False, False, True]
    write_training_layout(data, tmp_path / "run")
    laid = sorted((tmp_path / "run" / "images" / "train").iterdir())
    assert [path.suffix for path in laid] == [".png"] * 3
    for path, file in zip(laid, data.train, strict=True):
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), read_image(file.image))


def test_an_image_whose_name_is_no_text_can_be_laid_out(tmp_path: Path) -> None:
    described = draw_detections(tmp_path / "data")
    image = described.parent / "images" / "train" / "部品 0.png"
    odd = os.fsdecode(os.fsencode(image.parent) + b"/\xff.png")
    image.rename(odd)
    data = read_detection_data(described)
    write_training_layout(data, tmp_path / "run")
    write_json(tmp_path / "images.json", [str(file.image) for file in data.train])
    assert odd in json.loads((tmp_path / "images.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["--resume", "r", "--epochs", "5"], "--resume"),
        (["--resume", "r", "--patience", "30"], "--resume"),
        (["--resume", "r", "--data", "data.yaml"], "--resume"),
        (["--data", "data.yaml", "--out", "m.training"], "--out"),
        (["--data", "data.yaml", "--out", "m.model", "--run", "./x/../m.model"], "--out"),
        (["--data", "data.yaml", "--out", os.fsdecode(b"\xff.model")], "--out"),
        (["--data", os.fsdecode(b"\xff.yaml"), "--out", "m.model"], "--data"),
        (["--data", "data.yaml", "--out", "m.model", "--run", os.fsdecode(b"\xff")], "--run"),
        (["--data", "data.yaml", "--out", "m.model", "--model", os.fsdecode(b"\xff.pt")], "--model"),
        (["--data", "data.yaml", "--out", "m.model", "--name", "a\x1b[2J"], "--name"),
        (["--data", "data.yaml", "--out", "m.model", "--precision", ""], "--precision"),
        (["--data", "data.yaml", "--out", "m.model", "--imgsz", "100"], "--imgsz"),
    ],
)
def test_wrong_usage_is_reported_before_anything_is_made(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    reported: str,
) -> None:
    draw_detections(tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    code, _, err = command(capsys, *arguments)
    assert (code, reported in err) == (2, True), err
    assert sorted(path.name for path in Path().iterdir()) == ["data.yaml", "images", "labels"]


@pytest.mark.slow
def test_a_benchmark_whose_other_side_does_not_start_reports_the_reason(tmp_path: Path) -> None:
    (tmp_path / "best.pt").write_bytes(b"no checkpoint")
    model = with_description(tmp_path)
    with pytest.raises(RuntimeError, match=r"best\.pt"):
        compare_speed({"fp32": model}, tmp_path / "best.pt", [], tmp_path, rounds=1)
