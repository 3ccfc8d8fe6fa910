"""``imageflow inspect`` on sources that go on, and the gate of image quality."""

import io
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.sources.fake_genicam_camera import ADDRESS, FakeGenicamCamera
from app.benchmarks.sources.rtsp_server import RtspServer
from app.command_line import main
from inspection.image_quality import read_bounds
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.sources import is_stream
from models.storage import write_atomically
from tests.support import command
from tests.support.messages import says, values_said

WHERE = ["source", "sequence", "captured_at"]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, object]], str]:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "--pipeline", "codes", *(str(argument) for argument in arguments)])
    reported = capsys.readouterr()
    assert "Traceback" not in reported.err
    lines = [json.loads(line) for line in reported.out.splitlines()] if "--json" in arguments else []
    return int(ended.value.code or 0), lines, reported.err


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("usb:0", True),
        ("RTSP://camera/x", True),
        ("watch:folder", True),
        ("genicam:192.168.0.9?gain=2", True),
        ("gige:x", True),
        ("a/clip.MP4", True),
        ("a/part.png", False),
        ("parts", False),
    ],
)
def test_a_stream_is_distinguished_from_images_by_its_name(spec: str, expected: bool) -> None:
    assert is_stream(spec) is expected


def test_inspect_takes_so_many_frames_of_a_video(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    clip = data / "video" / "bolt-multi-size-detection.gif"
    code, lines, _ = run(capsys, "--json", "--frames", 3, clip)
    assert code == 0
    assert [line["sequence"] for line in lines] == [0, 1, 2]
    assert all(list(line)[:4] == [*WHERE, "file"] for line in lines)
    assert {line["file"] for line in lines} == {f"video:{clip.name}#{number}" for number in range(3)}
    code, lines, _ = run(capsys, "--json", clip)
    assert (code, len(lines)) == (0, 37)


def test_inspect_takes_frames_of_cameras(capsys: pytest.CaptureFixture[str]) -> None:
    server, camera = RtspServer(), FakeGenicamCamera()
    server.start()
    camera.start()
    try:
        for spec in (server.url, f"genicam:{ADDRESS}?format=Mono8"):
            code, lines, _ = run(capsys, "--json", "--frames", 2, spec)
            assert (code, len(lines)) == (0, 2)
            assert all(str(line["source"]).startswith(spec.partition("?")[0]) for line in lines)
    finally:
        server.stop()
        camera.stop()


def test_inspect_takes_what_arrives_in_a_folder(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path
) -> None:
    given = [path.read_bytes() for path in sorted((parts / "good").iterdir())[:3]]
    arrived = threading.Event()

    def bring() -> None:
        # Until all were taken: which of them come before the folder is watched is not known.
        for number in range(1000):
            write_atomically(tmp_path / f"{number:04}.png", given[number % 3])
            if arrived.wait(0.1):
                return

    bringer = threading.Thread(target=bring)
    bringer.start()
    try:
        code, lines, _ = run(capsys, "--json", "--frames", 3, "--trigger", "source", "--wait", 30, f"watch:{tmp_path}")
    finally:
        arrived.set()
        bringer.join()
    assert code == 0
    names = [Path(str(line["file"])).name for line in lines]
    assert len(names) == 3
    assert names == sorted(set(names))


def pipeline_of(folder: Path, *parameters: dict[str, object]) -> Path:
    """A pipeline of filters, one behind the other; its last picture is the overlay."""
    steps = [
        {"id": f"f{number}", "component": "filter", "inputs": {"image": f"f{number - 1}" if number else "input"},
         "parameters": values}
        for number, values in enumerate(parameters)
    ]  # fmt: skip
    file = folder / "filters.json"
    file.write_text(json.dumps({"name": "filters", "steps": steps}))
    return file


@pytest.mark.parametrize("kind", ["watch:", ""])
@pytest.mark.parametrize("place", ["", "sub"])
def test_overlays_among_the_images_are_refused_before_anything_is_written(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path, kind: str, place: str
) -> None:
    shutil.copy(next((parts / "good").iterdir()), tmp_path / "a.png")
    code, lines, err = run(
        capsys, "--json", "--frames", 1, "--wait", 1, "--pipeline", pipeline_of(tmp_path, {}),
        "--out", tmp_path / place, f"{kind}{tmp_path}",
    )  # fmt: skip
    assert (code, lines) == (1, [])
    assert says(err, "overlay-among-images")
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "filters.json"}


def test_a_second_run_keeps_the_overlays_of_the_first(
    capsys: pytest.CaptureFixture[str], parts: Path, data: Path, tmp_path: Path
) -> None:
    pipeline, out = pipeline_of(tmp_path, {}), tmp_path / "o"
    clip = data / "video" / "bolt-multi-size-detection.gif"
    for _ in range(2):
        for spec in (clip, parts / "test"):
            assert run(capsys, "--frames", 2, "--pipeline", pipeline, "--out", out, spec)[0] == 0
    first = sorted((parts / "test" / "contamination").iterdir())[:2]
    wanted = [*(f"{clip.stem}-{number:06}" for number in range(2)), *(f"contamination/{path.stem}" for path in first)]
    written = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert written == {f"{name}{again}.png" for name in wanted for again in ("", "-2")}


@pytest.mark.parametrize("frames", [(), ("--frames", 3)])
def test_an_overlay_that_cannot_be_written_costs_no_verdict_but_the_exit_code(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path, frames: tuple[object, ...]
) -> None:
    (tmp_path / "in" / "lot").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lot").write_bytes(b"in the way of the folder")
    for name in ("lot/a.png", "lot/b.png", "c.png"):
        shutil.copy(next((parts / "good").iterdir()), tmp_path / "in" / name)
    pipeline = pipeline_of(tmp_path, {})
    code, lines, err = run(
        capsys, "--json", *frames, "--pipeline", pipeline, "--out", tmp_path / "out", tmp_path / "in"
    )
    assert (code, len(lines)) == (1, 3)
    assert err.count("lot/a.png") == err.count("lot/b.png") == 1
    assert (tmp_path / "out" / "c.png").is_file()


@pytest.mark.slow
def test_frames_missed_or_incomplete_are_counted_in_every_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Far slower than the 25 frames a second, of which some 40 % come incomplete, on any computer.
    slow = pipeline_of(tmp_path, *[{"filter_type": "denoise", "radius": 5.0}] * 30)
    camera = FakeGenicamCamera(lost=3)
    camera.start()
    try:
        code, lines, err = run(capsys, "--json", "--frames", 6, "--pipeline", slow, f"genicam:{ADDRESS}?format=Mono8")
    finally:
        camera.stop()
    assert code == 0
    dropped, incomplete = ([int(str(line[name])) for line in lines] for name in ("dropped", "incomplete"))
    assert dropped == sorted(dropped)
    assert dropped[-1] > 0
    assert incomplete == sorted(incomplete)
    assert incomplete[-1] > 0
    assert int(values_said(err, "frames-dropped")["count"]) >= dropped[-1]
    assert int(values_said(err, "frames-incomplete")["count"]) >= incomplete[-1]


def test_a_source_that_stays_silent_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, lines, err = run(capsys, "--json", "--wait", 0.3, f"watch:{tmp_path}")
    assert (code, lines) == (1, [])
    assert says(err, "source-silent", seconds="0.3")


def test_each_line_typed_takes_a_frame(
    capsys: pytest.CaptureFixture[str], parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n"))
    code, lines, _ = run(capsys, "--json", "--trigger", "key", parts / "good")
    assert (code, [line["sequence"] for line in lines]) == (0, [0, 1])


@pytest.mark.parametrize(
    ("arguments", "code", "reported"),
    [
        (["--trigger", "source", "."], 1, "trigger-needs-events"),
        (["--trigger", "often", "."], 2, "--trigger"),
        (["--frames", "0", "."], 2, "--frames"),
        (["a.mp4", "b.mp4"], 2, "SOURCE"),
        (["--gate", "none.json", "."], 1, "file-missing"),
        (["rtsp://127.0.0.1:9/x"], 1, "camera-not-reachable"),
        (["http://camera/x.mjpg"], 1, "source-scheme"),
    ],
)
def test_wrong_use_is_reported(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, reported: str, parts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(parts)
    ended, _, err = run(capsys, *arguments)
    assert ended == code
    assert says(err, reported) if code == 1 else (reported in err)


@pytest.fixture
def mixed(parts: Path, tmp_path: Path) -> Path:
    """Two good images, one out of focus, one dark."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    images = [read_image(path) for path in sorted((parts / "test" / "good").iterdir())[:4]]
    images[1] = cv2.GaussianBlur(images[1], (0, 0), 6).astype(np.uint8)
    images[2] = (images[2] * 0.1).astype(np.uint8)
    for number, image in enumerate(images):
        write_atomically(folder / f"{number}.png", encode_png(image))
    return folder


def test_bounds_learnt_from_good_images_refuse_others_with_the_reason(
    capsys: pytest.CaptureFixture[str], parts: Path, mixed: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate.json"
    code, out, _ = command.run(capsys, "gate", "learn", parts / "good", "--out", gate, "--json")
    learned = json.loads(out)
    assert (code, learned["file"], learned["frames"], learned["enough"]) == (0, str(gate), 24, True)
    assert read_bounds(str(gate)).max_blur_px is not None
    for arguments in ([], ["--frames", 9]):
        code, lines, _ = run(capsys, "--json", "--gate", gate, *arguments, mixed)
        assert code == 0
        assert [line["verdict"] is None for line in lines] == [False, True, True, False]
        blurred, dark = (line["refused"] for line in lines[1:3])
        assert isinstance(blurred, list)
        assert isinstance(dark, list)
        assert "quality-blurred" in {reason["code"] for reason in blurred}
        assert dark[0]["code"] == "quality-too-dark"
        assert dark[0]["measured"] < dark[0]["bound"]
        assert Path(str(lines[1]["file"])).name == "1.png"


def test_a_refused_image_says_why_in_words(
    capsys: pytest.CaptureFixture[str], mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    with pytest.raises(SystemExit):
        main(["inspect", "--pipeline", "codes", "--gate", "usual", str(mixed)])
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 4
    assert [line.startswith("--") for line in out] == [False, True, True, False]
    assert says(out[1], "quality-blurred", "ja")


@pytest.mark.parametrize("more", [(), ("--frames", 3), ("x.png",)])
def test_a_folder_that_is_not_there_is_reported_as_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[object, ...]
) -> None:
    folder = tmp_path / "parts"
    code, out, err = command.run(capsys, "inspect", "--pipeline", "codes", folder, *more)
    assert (code, out) == (1, "")
    assert says(err, "folder-missing", folder=folder)
