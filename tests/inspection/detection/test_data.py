"""Labelled images as people and their tools write them: read as the training library reads them, or refused by name."""

from pathlib import Path

import numpy as np
import pytest

from inspection.detection.data.dataset import label_file, read_detection_data
from inspection.detection.data.labels import parse_line
from inspection.detection.data.layout import write_training_layout
from inspection.imaging.files import encode_jpeg, encode_png
from models.errors import InvalidInput, UserFacingError
from models.messages import LANGUAGES
from tests.support.drawn_detections import draw_detections


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(UserFacingError) as caught:
        read_detection_data(path)
    texts = [caught.value.text(language).detail for language in ("en", "ja")]
    assert texts[0] != texts[1]
    return caught.value.code, texts[0]


def described(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[a, b]", ("a", "b")),
        ("{0: a, 1: b}", ("a", "b")),
        ("{1: b, 0: a}", ("a", "b")),
        ("{'0': a, '1': b}", ("a", "b")),
        ("[1, 傷 あり]", ("1", "傷 あり")),
        ("[off, on]", ("off", "on")),
        ("{0: NO, 1: YES}", ("NO", "YES")),
        ("[010, 1e3, 12:30]", ("010", "1e3", "12:30")),
        ("[2024-03-09, null, ~]", ("2024-03-09", "null", "~")),
        ("['off', \"on\"]", ("off", "on")),
    ],
)
def test_class_names_are_read_from_a_list_as_from_numbers(
    tmp_path: Path, names: str, expected: tuple[str, ...]
) -> None:
    path = draw_detections(tmp_path)
    assert (
        read_detection_data(described(path, f"train: images/train\nval: images/val\nnames: {names}\n")).names
        == expected
    )


@pytest.mark.parametrize(
    "names",
    ["", "[]", "a", "{0: a, 2: b}", "[a, a]", "[a, '']", "[a, {}]", "[[a], [b]]", '["a\\e[2J"]', f"[{'x' * 201}]"],
)
def test_class_names_that_cannot_be_shown_or_told_apart_are_refused(tmp_path: Path, names: str) -> None:
    path = draw_detections(tmp_path)
    code, detail = refused(described(path, f"train: images/train\nval: images/val\nnames: {names}\n"))
    assert code == "detector-data-names"
    assert '"names"' in detail


@pytest.mark.parametrize(
    "text",
    [
        "path: {root}\ntrain: images/train\nval: images/val\nnames: [a]\n",
        "path: ../data\ntrain: images/train\nval: images/val\nnames: [a]\n",
        "path:\ntrain: ./images/train/\nval: {root}/images/val\nnames: [a]\n",
        "train: ../images/train\nval: ../images/val\nnames: [a]\n",
        "train: [images/train]\nval: [images/val]\nnames: [a]\n",
        "train: train.txt\nval: [val.txt]\nnames: [a]\n",
    ],
)
def test_the_images_are_found_however_their_folders_are_named(tmp_path: Path, text: str) -> None:
    path = draw_detections(tmp_path / "data")
    for part in ("train", "val"):
        images = sorted((path.parent / "images" / part).iterdir())
        lines = [str(images[0]), *(f"./images/{part}/{image.name}" for image in images[1:])]
        (path.parent / f"{part}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read_detection_data(described(path, text.format(root=path.parent)))
    assert [len(found.train), len(found.val)] == [4, 2]
    assert all(len(file.boxes) == 1 for file in (*found.train, *found.val))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("train: [\n", "detector-data-file"),
        ("- a\n", "detector-data-file"),
        ("", "detector-data-file"),
        ("train: !!python/object/apply:os.getcwd []\n", "detector-data-file"),
        ("train: images/train\nval: 3\nnames: [a]\n", "detector-data-folder"),
        ("train: [[images/train]]\nval: images/val\nnames: [a]\n", "detector-data-folder"),
        ("path: 3\ntrain: images/train\nval: images/val\nnames: [a]\n", "detector-data-folder"),
        (f"train: {'x' * 400}\nval: images/val\nnames: [a]\n", "folder-missing"),
        ('train: "a\\0b"\nval: images/val\nnames: [a]\n', "folder-missing"),
        ("train: odd.txt\nval: images/val\nnames: [a]\n", "detector-data-listing"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_with_its_entry(tmp_path: Path, text: str, code: str) -> None:
    path = draw_detections(tmp_path)
    (tmp_path / "odd.txt").write_bytes(b"images/train/a\0.png\n")
    assert refused(described(path, text))[0] == code


def test_a_description_that_is_no_text_is_refused_as_that(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    path.write_bytes("names: [傷]\n".encode("shift-jis"))
    assert refused(path)[0] == "detector-data-file"


def test_labels_are_found_from_within_the_folder_of_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw_detections(tmp_path)
    inside = described(path.parent / "images" / "data.yaml", "train: train\nval: val\nnames: [a]\n")
    monkeypatch.chdir(inside.parent)
    found = read_detection_data(Path(inside.name))
    assert all(len(file.boxes) == 1 for file in found.train)
    assert label_file(Path("0.png")) == tmp_path / "labels" / "0.txt"


def test_images_too_small_for_the_training_are_skipped(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    small = tmp_path / "images" / "train" / "small.png"
    small.write_bytes(encode_png(np.zeros((9, 40), np.uint8)))
    found = read_detection_data(path)
    assert (len(found.train), found.skipped[str(small)].code) == (4, "image-too-small")
    for image in (tmp_path / "images" / "train").iterdir():
        image.write_bytes(small.read_bytes())
    assert refused(path)[0] == "image-too-small"


def test_only_the_part_that_is_measured_needs_to_be_there(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    described(path, "val: images/val\nnames: [a]\n")
    found = read_detection_data(path, parts=("val",))
    assert [len(found.train), len(found.val)] == [0, 2]


def test_an_unwhole_jpeg_is_given_as_a_copy_whatever_its_name_says(tmp_path: Path) -> None:
    path = draw_detections(tmp_path / "data")
    image = tmp_path / "data" / "images" / "train" / "0.png"
    image.write_bytes(encode_jpeg(np.zeros((40, 40, 3), np.uint8)) + b"\0\0")
    write_training_layout(read_detection_data(path), tmp_path / "run")
    laid = sorted((tmp_path / "run" / "images" / "train").iterdir())
    assert [file.is_symlink() for file in laid] == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0 0.5 0.5 0.5", "detector-label-count"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.3", "detector-label-count"),
        ("0 0.5 0.5 0.5 0.5 0.934", "detector-label-count"),
        ("0 1.0021 0.5 0.3 0.2", "detector-label-share"),
        ("0 0.1 0.1 0.1 0.2 0.1 0.3", "detector-label-share"),
        ("scratch 0.5 0.5 0.5 0.5", "detector-label-number"),
        ("1 0.5 0.5 0.5 0.5", "detector-label-class"),
        ("-1 0.5 0.5 0.5 0.5", "detector-label-class"),
        ("nan 0.5 0.5 0.5 0.5", "detector-label-class"),
        ("0 0.5 0.5 0 0.5", "detector-label-share"),
        ("0 12 15 30 40", "detector-label-share"),
        ("0 nan 0.5 0.5 0.5", "detector-label-share"),
    ],
)
def test_a_wrong_label_is_reported_with_its_file_as_well_as_its_line(tmp_path: Path, line: str, code: str) -> None:
    path = draw_detections(tmp_path)
    label = tmp_path / "labels" / "train" / "部品 1.txt"
    label.write_text(f"0 0.5 0.5 0.5 0.5\n\n{line}\n")
    reported, detail = refused(path)
    assert reported == code
    assert f"{label}, line 3" in detail


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.2 0.3 0.6 0.3 0.6 0.7 0.2 0.7", (0.4, 0.5, 0.4, 0.4)),
        ("0 0.2 0.3 0.6 0.5 0.4 0.7", (0.4, 0.5, 0.4, 0.4)),
        ("0 0.5 0.5 0.5 1.000002", (0.5, 0.5, 0.5, 1.0)),
        ("0 -0.0004 0.2 0.6 1.0008 0.4 0.7", (0.3, 0.6, 0.6, 0.8)),
    ],
)
def test_polygons_have_a_box_within_the_image(line: str, box: tuple[float, ...]) -> None:
    found = parse_line(line, 1)
    assert (found.x, found.y, found.width, found.height) == pytest.approx(box)


def test_wrong_lines_of_all_label_files_are_counted(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    labels = sorted((tmp_path / "labels").rglob("*.txt"))
    labels[0].write_text("0 0.5 0.5\n0 0.5 0.5 0.5 0.5\n9 0.5 0.5 0.5 0.5\n")
    labels[1].write_text("0 2 2 2 2\n")
    with pytest.raises(InvalidInput) as raised:
        read_detection_data(path)
    assert (raised.value.code, raised.value.values["count"], raised.value.values["files"]) == (
        "detector-labels-wrong",
        3,
        2,
    )
    for language in LANGUAGES:
        detail = raised.value.text(language).detail
        assert str(labels[0]) in detail
        assert str(labels[1]) in detail


def test_label_files_without_an_image_are_named(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    (tmp_path / "labels" / "train" / "gone.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "labels" / "train" / "classes.txt").write_text("傷\n")
    skipped = read_detection_data(path).skipped
    assert {Path(file).name: error.code for file, error in skipped.items()} == {"gone.txt": "detector-label-orphan"}


@pytest.mark.parametrize("ending", [".TXT", ".Txt"])
def test_label_files_with_an_ending_in_capitals_are_read(tmp_path: Path, ending: str) -> None:
    path = draw_detections(tmp_path)
    expected = read_detection_data(path)
    for label in list((tmp_path / "labels" / "train").iterdir()):
        label.rename(label.with_suffix(ending))
    assert read_detection_data(path).train == expected.train


def test_a_label_file_in_capitals_without_an_image_is_named(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    (tmp_path / "labels" / "train" / "GONE.TXT").write_text("0 0.5 0.5 0.2 0.2\n")
    assert [Path(file).name for file in read_detection_data(path).skipped] == ["GONE.TXT"]


@pytest.mark.parametrize(("val", "expected"), [("images/train", True), ("images/val", False)])
def test_images_of_the_training_among_those_that_measure_it_are_noticed(
    tmp_path: Path, val: str, expected: bool
) -> None:
    path = draw_detections(tmp_path)
    described(path, f"train: images/train\nval: {val}\nnames: [a]\n")
    assert read_detection_data(path).measured_on_training is expected


def test_label_files_are_not_missed_where_a_list_names_the_images(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    (tmp_path / "some.txt").write_text("images/train/部品 0.png\n")
    described(path, "train: some.txt\nval: images/val\nnames: [a]\n")
    assert read_detection_data(path).skipped == {}


def test_a_number_of_classes_that_contradicts_the_names_is_refused(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    described(path, "train: images/train\nval: images/val\nnc: 3\nnames: [a]\n")
    assert refused(path)[0] == "detector-data-count"


def test_a_label_file_that_cannot_be_read_is_no_image_without_labels(tmp_path: Path) -> None:
    path = draw_detections(tmp_path)
    label = tmp_path / "labels" / "train" / "部品 1.txt"
    label.write_bytes(b"\xff\xfe0\0")
    assert refused(path)[0] == "detector-label-file"
    label.unlink()
    label.mkdir()
    assert refused(path)[0] == "detector-label-file"
    label.rmdir()
    assert len(read_detection_data(path).train[1].boxes) == 0
