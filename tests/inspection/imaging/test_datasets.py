import subprocess
import sys
from pathlib import Path

import pytest

from inspection.imaging.datasets import good_images, image_files, is_good, label_of, labelled_images
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


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    return folder


def test_defects_beside_good_parts_are_left_out(tmp_path: Path) -> None:
    found = good_images(
        fill(tmp_path, "a.png", "def_front/b.png", "def_front/c.png", "ok_front/deep/d.png", "good/e.png", "odd/f.png")
    )
    assert [path.name for path in found.files] == ["a.png", "e.png", "d.png"]
    assert (found.left_out, found.taken_whole) == ({"def_front": 2, "odd": 1}, ())


def test_sub_folders_none_of_which_is_named_good_are_taken_whole(tmp_path: Path) -> None:
    found = good_images(fill(tmp_path, "a.png", "tuesday/b.png", "monday/c.png"))
    assert [path.name for path in found.files] == ["a.png", "c.png", "b.png"]
    assert (found.left_out, found.taken_whole) == ({}, ("monday", "tuesday"))


def test_a_missing_folder_is_reported_apart_from_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        image_files(tmp_path / "none")
    with pytest.raises(InvalidInput):
        image_files(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits for folders")
@pytest.mark.parametrize("closed", ["", "inner"])
def test_a_folder_that_may_not_be_listed_is_reported_instead_of_left_out(tmp_path: Path, closed: str) -> None:
    folder = tmp_path / "images"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"x")
    # The superuser may list everything, so a process of this test's own becomes somebody else.
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from inspection.imaging.datasets import image_files\n"
        "from models.errors import InvalidInput, NotFound\n"
        "os.chdir(sys.argv[1])\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: print(len(image_files(Path('images'))))\n"
        "except (InvalidInput, NotFound) as error: print(error.code, error.values['folder'])\n"
    )
    # Whatever this computer's mask for new folders is.
    for open_to_all in (tmp_path, folder, folder / "inner"):
        open_to_all.chmod(0o755)
    refused = folder / closed
    refused.chmod(0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
        )
    finally:
        refused.chmod(0o755)
    assert done.stdout.split() == ["folder-not-readable", str(refused.relative_to(tmp_path))], done.stderr
