"""The settings by which the training library asks the network for nothing, and the data it gets."""

import json
from pathlib import Path

import numpy as np
import pytest

from inspection.detection.data.dataset import label_file, read_detection_data
from inspection.detection.data.layout import write_training_layout
from inspection.detection.training.environment import FONT_NAMES, quiet_environment
from inspection.detection.training.fonts import find_font
from inspection.imaging.files import encode_jpeg, encode_png


def test_the_library_finds_its_fonts_without_a_network(tmp_path: Path) -> None:
    environment = quiet_environment(tmp_path / "library", 2)
    home = tmp_path / "library" / "Ultralytics"
    assert environment["YOLO_CONFIG_DIR"] == str(home.parent)
    assert environment["YOLO_OFFLINE"] == "true"
    assert environment["YOLO_AUTOINSTALL"] == "false"
    assert environment["ULTRALYTICS_SAFE_LOAD"] == "true"
    assert environment["OMP_NUM_THREADS"] == "2"
    assert json.loads((home / "settings.json").read_text())["sync"] is False
    for name in FONT_NAMES:
        assert (home / name).stat().st_size > 10_000


def test_a_relative_folder_is_resolved_before_the_subprocess_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(quiet_environment(Path("library"))["YOLO_CONFIG_DIR"]).is_absolute()


def test_without_any_font_of_the_system_there_is_the_one_of_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("inspection.detection.training.fonts._KNOWN", ())
    assert find_font().name == "DejaVuSans.ttf"
    assert find_font().is_file()


def labelled(folder: Path, parts: dict[str, list[bytes]], suffix: str = ".png") -> Path:
    for part, images in parts.items():
        (folder / "images" / part).mkdir(parents=True)
        (folder / "labels" / part).mkdir(parents=True)
        for number, content in enumerate(images):
            (folder / "images" / part / f"{number}{suffix}").write_bytes(content)
            (folder / "labels" / part / f"{number}.txt").write_text("0 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.25 0.5\n")
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [it's]\n")
    return folder / "data.yaml"


def test_labels_lie_where_the_last_folder_of_images_is() -> None:
    assert label_file(Path("/images/a/images/train/b.c.jpg")) == Path("/images/a/labels/train/b.c.txt")
    assert label_file(Path("/parts/b.jpg")) == Path("/parts/b.txt")


def test_the_layout_holds_every_image_once_without_touching_the_data(tmp_path: Path) -> None:
    image = encode_png(np.zeros((20, 40, 3), np.uint8))
    described = labelled(tmp_path / "mine", {"train": [image, image], "val": [image]})
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")}
    found = read_detection_data(described)
    assert [len(found.train), len(found.val), len(found.train[0].boxes)] == [2, 1, 1]
    assert (found.train[0].width, found.train[0].height) == (40, 20)
    laid = write_training_layout(found, tmp_path / "run")
    assert "it''s" in laid.read_text()
    assert sorted(path.name for path in (tmp_path / "run" / "images" / "train").iterdir()) == [
        "000000.png",
        "000001.png",
    ]
    assert (tmp_path / "run" / "labels" / "val" / "000000.txt").read_text().count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")} == before


def test_a_file_the_library_would_overwrite_is_given_as_a_copy(tmp_path: Path) -> None:
    whole = encode_jpeg(np.zeros((20, 40, 3), np.uint8))
    described = labelled(tmp_path / "mine", {"train": [whole, whole + b"\0\0"], "val": [whole]}, ".jpg")
    write_training_layout(read_detection_data(described), tmp_path / "run")
    images = tmp_path / "run" / "images" / "train"
    assert [(images / f"00000{number}.jpg").is_symlink() for number in (0, 1)] == [True, False]


def test_the_digest_of_the_data_follows_contents_instead_of_names(tmp_path: Path) -> None:
    first, second = encode_png(np.zeros((16, 16), np.uint8)), encode_png(np.ones((16, 16), np.uint8))
    digests = []
    for name, images in (("a", [first, second]), ("b", [second, first]), ("c", [first, first])):
        digests.append(read_detection_data(labelled(tmp_path / name, {"train": images, "val": [first]})).digest)
    (tmp_path / "a" / "labels" / "val" / "0.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    digests.append(read_detection_data(tmp_path / "a" / "data.yaml").digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_file_that_lists_images_is_read_like_a_list_of_folders(tmp_path: Path) -> None:
    image = encode_png(np.zeros((16, 16), np.uint8))
    described = labelled(tmp_path / "mine", {"train": [image], "more": [image], "val": [image]})
    (tmp_path / "mine" / "val.txt").write_text("images/val/0.png\n\n")
    described.write_text("train: [images/train, images/more]\nval: val.txt\nnames: {0: a}\n")
    found = read_detection_data(described)
    assert [len(found.train), len(found.val)] == [2, 1]
