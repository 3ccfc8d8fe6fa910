from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.inspection.bootstrap import object_interval
from app.benchmarks.inspection.splits import (
    casting_split,
    files,
    folder_split,
    tile_objects,
    tile_split,
)
from inspection.metrics import image_auroc


def test_photographs_in_a_row_under_rising_exposures_are_one_tile() -> None:
    names = ["exp1_num_100", "exp2_num_130", "exp6_num_190", "exp1_num_240", "exp4_num_9000"]
    found = {tuple(path.stem for path in tile) for tile in tile_objects([Path(f"{name}.jpg") for name in names])}
    assert found == {tuple(names[:3]), (names[3],), (names[4],)}


def test_a_name_without_an_exposure_is_refused() -> None:
    with pytest.raises(ValueError, match="part7"):
        tile_objects([Path("part7.jpg")])


def test_each_image_is_on_exactly_one_side_of_a_split(data: Path) -> None:
    for split, total in ((tile_split(data), 592), (casting_split(data), 400)):
        sides = [files(side) for side in (split.good, split.defects, split.test_good, split.test_defects)]
        assert sum(map(len, sides)) == total
        assert len(set().union(*sides)) == total


def test_all_photographs_of_a_tile_are_on_one_side(data: Path) -> None:
    split = tile_split(data)
    good = tile_objects(files(split.good) + files(split.test_good))
    assert set(good) == set(split.good) | set(split.test_good)


def test_a_set_divided_by_folders_has_no_defects_to_choose_by(data: Path) -> None:
    split = folder_split(data / "glassfiber")
    sides = (split.good, split.defects, split.test_good, split.test_defects)
    assert [len(files(side)) for side in sides] == [60, 0, 18, 20]


def auroc(good: np.ndarray, defects: np.ndarray) -> float:
    return image_auroc(good, defects) or 0.0


def test_photographs_of_one_part_make_an_interval_no_narrower_than_the_parts_themselves() -> None:
    generator = np.random.default_rng(0)
    good, defects = generator.normal(0, 1, 12), generator.normal(1, 1, 12)
    alone = object_interval([[value] for value in good], [[value] for value in defects], auroc, 400)
    repeated = object_interval([[value] * 6 for value in good], [[value] * 6 for value in defects], auroc, 400)
    assert alone == pytest.approx(repeated)
    assert alone[0] < auroc(good, defects) < alone[1]
