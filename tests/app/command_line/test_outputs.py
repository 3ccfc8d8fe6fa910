"""What a command refuses to write over: its own input, a folder, an image."""

from pathlib import Path

import pytest

from app.command_line import main
from tests.support.drawn_detections import draw_detections

DETECTOR = ("train", "detector", "--data")
IMAGES = ("train", "images", "--good", "images")
SCORE = ("model", "score", "pump.npz", "today.csv")


@pytest.mark.parametrize(
    ("arguments", "lost"),
    [
        ((*DETECTOR, "data.yaml", "--out", "data.yaml"), "data.yaml"),
        ((*DETECTOR, "data.yaml", "--out", "linked.yaml"), "data.yaml"),
        ((*DETECTOR, "data.yaml", "--model", "w.pt", "--out", "x/../w.pt"), "w.pt"),
        ((*DETECTOR, "data.yaml", "--model", "w.int8.pt", "--out", "w.pt"), "w.int8.pt"),
        ((*DETECTOR, "data.yaml", "--out", "images/train/部品 0.png"), "images/train/部品 0.png"),
        ((*DETECTOR, "data.yaml", "--out", "m.model", "--run", "m.int8.model"), "data.yaml"),
        ((*DETECTOR, "data.yaml", "--out", "images.model"), "images.int8.model"),
        (("model", "export", "m.model", "--out", "photo.JPG"), "photo.JPG"),
        (("model", "export", "m.model", "--out", "m.model"), "m.model"),
        (("train", "images", "--good", "images", "--out", "photo.JPG"), "photo.JPG"),
        ((*IMAGES, "--pipeline", "data.yaml", "--out", "data.yaml"), "data.yaml"),
        ((*IMAGES, "--pipeline", "x.json", "--model", "a=m.model", "--out", "m.model"), "m.model"),
        ((*SCORE, "--out", "today.csv"), "today.csv"),
        ((*SCORE, "--out", "pump.npz"), "pump.npz"),
        ((*SCORE, "--out", "photo.JPG"), "photo.JPG"),
    ],
)
def test_no_command_writes_over_what_it_reads_or_over_an_image(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    lost: str,
) -> None:
    described = draw_detections(tmp_path / "here")
    monkeypatch.chdir(described.parent)
    for name in ("w.pt", "w.int8.pt", "m.model", "photo.JPG", "today.csv", "pump.npz"):
        Path(name).write_bytes(name.encode())
    Path("images.int8.model").mkdir()
    Path("linked.yaml").symlink_to("data.yaml")
    before = {path: path.is_dir() or path.read_bytes() for path in Path().rglob("*")}
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    reported = capsys.readouterr()
    assert (ended.value.code, reported.out) == (2, ""), reported.err
    assert "--out" in reported.err
    assert {path: path.is_dir() or path.read_bytes() for path in Path().rglob("*")} == before
    assert Path(lost) in before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("inspect", "--model", "{long}", "x.png"), 1),
        (("inspect", "--model", "{long}.xml", "x.png"), 1),
        (("inspect", "--model", "images", "{long}.mp4"), 1),
        (("model", "export", "{long}", "--out", "m.model"), 1),
        (("model", "export", "m.model", "--out", "{long}"), 1),
        (("model", "list", "{long}"), 1),
        (("evaluate", "--model", "m.model", "--good", "{long}", "--defect", ".", "--out", "r.html"), 1),
        (("evaluate", "--model", "m.model", "--good", ".", "--defect", ".", "--masks", "{long}", "--out", "r.html"), 1),
        (("train", "images", "--good", "{long}", "--out", "m.model"), 1),
        (("train", "images", "--good", ".", "--out", "{long}"), 1),
        (("train", "detector", "--data", "{long}", "--out", "m.model"), 1),
        (("train", "detector", "--data", "data.yaml", "--model", "{long}.pt", "--out", "m.model"), 1),
        (("train", "detector", "--data", "data.yaml", "--out", "{long}"), 1),
        (("train", "detector", "--data", "data.yaml", "--run", "{long}", "--out", "m.model"), 1),
        (("train", "detector", "--resume", "{long}"), 1),
        (("train", "sensor", "--data", "{long}", "--output", "m.pth"), 1),
    ],
)
def test_a_name_the_system_refuses_is_a_mistake_of_the_user_in_every_command(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.chdir(draw_detections(tmp_path / "here").parent)
    with pytest.raises(SystemExit) as ended:
        main([argument.format(long="x" * 300) for argument in arguments])
    reported = capsys.readouterr()
    assert (ended.value.code, reported.out) == (code, "")
    assert reported.err
    assert "Traceback" not in reported.err
