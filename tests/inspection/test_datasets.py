from pathlib import Path

import pytest

from inspection.datasets import image_files, is_good, label_of, labelled_images
from models.errors import InvalidInput, NotFound


@pytest.mark.parametrize("label", ["good", "Good", "ok", "ok_front", "OK-2", "normal", "normal_light"])
def test_names_of_good_parts_are_known(label: str) -> None:
    assert is_good(label)


@pytest.mark.parametrize("label", ["scratch", "def_front", "not_good", "goods", "bad", "broken_ok"])
def test_any_other_name_is_a_class_of_defect(label: str) -> None:
    assert not is_good(label)


def test_labels_come_from_the_first_sub_folder(tmp_path: Path) -> None:
    assert label_of(tmp_path / "a.png", tmp_path) is None
    assert label_of(tmp_path / "crack" / "deep" / "a.png", tmp_path) == "crack"


def test_files_that_are_no_images_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", "A.JPG", ".hidden.png", "notes.txt", "sub/c.tiff"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in image_files(tmp_path)] == ["A.JPG", "b.png", "c.tiff"]
    assert [(image.label, image.good) for image in labelled_images(tmp_path)] == [(None, None)] * 2 + [("sub", False)]


def test_a_missing_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        image_files(tmp_path / "none")
    with pytest.raises(InvalidInput):
        image_files(tmp_path)
