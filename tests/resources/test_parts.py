import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from resources.parts import DEFECT_CLASSES, IMAGE_SIZE, PartsFolder, draw_part, write_parts
from resources.parts.opencv import cv2


@pytest.fixture(scope="module")
def default_set(tmp_path_factory: pytest.TempPathFactory) -> PartsFolder:
    return write_parts(tmp_path_factory.mktemp("parts"))


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def auroc(good: list[float], defective: list[float]) -> float:
    a, b = np.array(good)[None], np.array(defective)[:, None]
    return float((b > a).mean() + 0.5 * (b == a).mean())


@pytest.mark.parametrize("defect", [None, *DEFECT_CLASSES])
def test_the_same_seed_draws_the_same_part(defect: str | None) -> None:
    one, other = draw_part(5, seed=3, defect=defect), draw_part(5, seed=3, defect=defect)
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.mask, other.mask)
    assert (one.label, one.name, one.serial_number, one.lot) == (
        other.label,
        other.name,
        other.serial_number,
        other.lot,
    )


def test_the_pixels_are_the_ones_every_other_machine_draws() -> None:
    drawn = [draw_part(index, defect=defect) for index, defect in enumerate([None, *DEFECT_CLASSES])]
    digest = hashlib.sha256(b"".join(part.image.tobytes() + part.mask.tobytes() for part in drawn)).hexdigest()
    assert digest == "74dd959e3a18e71deaf404e54877a83d0e454b981bf31fb22a8131af01bb205e"


def test_another_index_or_seed_is_another_part() -> None:
    images = [draw_part(0).image, draw_part(1).image, draw_part(0, seed=1).image]
    assert len({image.tobytes() for image in images}) == 3


@pytest.mark.parametrize("defect", DEFECT_CLASSES)
@pytest.mark.parametrize("index", range(6))
def test_the_mask_covers_only_the_defect(index: int, defect: str) -> None:
    good, bad = draw_part(index), draw_part(index, defect=defect)
    change = np.abs(bad.image.astype(int) - good.image.astype(int)).max(axis=2)
    assert bad.mask.any()
    assert not good.mask.any()
    # Same pose, light and noise: what the defect adds outside its mask stays below what is visible.
    assert change[~bad.mask].max() <= 6
    assert (change[bad.mask] >= 3).mean() > 0.7


def test_parts_are_colour_images_with_a_mask_of_the_same_size() -> None:
    part = draw_part(0, defect="scratch")
    assert part.image.shape == (IMAGE_SIZE, IMAGE_SIZE, 3)
    assert part.image.dtype == np.uint8
    assert part.mask.shape == (IMAGE_SIZE, IMAGE_SIZE)
    assert part.mask.dtype == np.bool_


def test_the_labels_of_the_default_set_name_every_file(default_set: PartsFolder) -> None:
    assert len(list(default_set.train_good.glob("*.png"))) >= 60
    assert len(list((default_set.test / "good").glob("*.png"))) >= 30
    for defect in DEFECT_CLASSES:
        names = sorted(path.name for path in (default_set.test / defect).glob("*.png"))
        assert len(names) >= 10
        assert names == sorted(path.name for path in (default_set.masks / defect).glob("*.png"))
    parts = json.loads(default_set.labels.read_text(encoding="utf-8"))["parts"]
    written = sorted(
        path.relative_to(default_set.directory).as_posix()
        for top in ("train", "test")
        for path in (default_set.directory / top).rglob("*.png")
    )
    assert sorted(part["file"] for part in parts) == written
    assert all(part["label"] == Path(part["file"]).parent.name for part in parts)


def test_lots_hold_good_parts_beside_defective_ones(default_set: PartsFolder) -> None:
    assert len({part.serial_number for part in default_set.parts}) == len(default_set.parts)
    assert {part.lot for part in default_set.parts if part.label == "good"} == {
        part.lot for part in default_set.parts if part.label != "good"
    }


def test_files_hold_the_drawn_pixels_in_true_colours(default_set: PartsFolder) -> None:
    record = next(part for part in default_set.parts if part.label == "contamination")
    part = draw_part(int(record.file[-10:-4]), defect="contamination")
    assert np.array_equal(read(default_set.directory / record.file)[:, :, ::-1], part.image)
    assert record.mask is not None
    assert np.array_equal(read(default_set.directory / record.mask) == 255, part.mask)


def test_comparing_with_the_average_good_image_does_not_find_the_defects(default_set: PartsFolder) -> None:
    mean = np.mean([read(path).astype(float) for path in default_set.train_good.glob("*.png")], axis=0)
    scores = {
        label: [float(np.abs(read(path) - mean).mean()) for path in (default_set.test / label).glob("*.png")]
        for label in ("good", *DEFECT_CLASSES)
    }
    defective = [score for defect in DEFECT_CLASSES for score in scores[defect]]
    assert auroc(scores["good"], defective) <= 0.80


def test_a_smaller_set_in_the_same_folder_touches_no_image_but_its_own(tmp_path: Path) -> None:
    write_parts(tmp_path, good=3, test_good=2, defects_per_class=2)
    own = tmp_path / "train" / "good" / "mine.png"
    own.write_bytes(b"mine")
    seen: list[tuple[int, int]] = []
    smaller = write_parts(
        tmp_path, good=2, test_good=1, defects_per_class=1, progress=lambda done, of: seen.append((done, of))
    )
    assert seen == [(number, 6) for number in range(1, 7)]
    assert sorted(path.name for path in smaller.train_good.iterdir()) == [
        "mine.png",
        "part_000000.png",
        "part_000001.png",
    ]
    assert len(list(smaller.masks.rglob("*.png"))) == 3


@pytest.mark.parametrize("wrong", [{"index": -1}, {"index": 0, "seed": -1}, {"index": 0, "defect": "rust"}])
def test_a_part_that_cannot_be_drawn_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"count from 0|no defect class"):
        draw_part(**wrong)


def test_importing_the_parts_leaves_the_qt_variables_as_they_were() -> None:
    code = "import os, resources.parts; print(sorted(k for k in os.environ if k.startswith('QT_QPA_')))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QT_QPA_")}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
