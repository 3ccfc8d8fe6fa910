"""Which real images choose, and which are looked at once at the end; the same on every computer.

Magnetic tiles. The files are photographs of far fewer tiles: each was taken under up to six exposures in a row, so
that its numbers follow each other while the exposure rises (``exp1_num_3191``, ``exp2_num_3211``, ...). Photographs of
one tile are no independent cases, and a good tile is recognised when the fit has seen it under another exposure.
``tile_objects`` finds the tiles; all photographs of one stay on one side. A quarter of the good tiles and half of the
defective ones of each class are for the test, the others for every choice.

Plates, juice bottles, glass fibre. ``train`` has good images alone: what is chosen is chosen by defects drawn on them.
All of ``test`` is for the test.

Castings. The publisher's division: ``train`` for every choice (its good ones cross-fitted), ``test`` for the test. The
publisher turned and brightened images before dividing them, and the names do not show which belong together.

The order is that of the SHA-256 of file names, so that no choice depends on a seed or on the order of a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspection.imaging.datasets import defect_images, image_files
from models.storage import sha256_of

TILE_CLASSES = ("blowhole", "break", "crack", "fray", "uneven")
_TILE_NAME = re.compile(r"exp(\d+)_num_(\d+)$")
# Numbers count up between photographs; those of one tile lie far closer together than those of two.
_FARTHEST = 500
_GOOD_SHARE, _DEFECT_SHARE = 4, 2


@dataclass(frozen=True, slots=True)
class Split:
    """Images of one data set, divided; every tuple holds objects, an object being the photographs of one part.

    Attributes:
        good: good objects to fit on and to choose by.
        defects: defective objects to choose by.
        test_good: good objects for the test.
        test_defects: defective objects for the test.
    """

    good: tuple[tuple[Path, ...], ...]
    defects: tuple[tuple[Path, ...], ...]
    test_good: tuple[tuple[Path, ...], ...]
    test_defects: tuple[tuple[Path, ...], ...]


def tile_split(data: Path) -> Split:
    """Return the division of ``data/magnetic_tile``."""
    root = data / "magnetic_tile"
    test_good, good = _divided(tile_objects(image_files(root / "good")), 0, _GOOD_SHARE)
    test_defects: list[tuple[Path, ...]] = []
    defects: list[tuple[Path, ...]] = []
    for name in TILE_CLASSES:
        for_test, for_choice = _divided(tile_objects(image_files(root / "defect" / name)), 1, _DEFECT_SHARE)
        test_defects += for_test
        defects += for_choice
    return Split(tuple(good), tuple(defects), tuple(test_good), tuple(test_defects))


def casting_split(data: Path) -> Split:
    """Return the division of ``data/casting``; each image counts as an object of its own."""
    root = data / "casting"
    sides = ("train/ok_front", "train/def_front", "test/ok_front", "test/def_front")
    return Split(*(_alone(image_files(root / side)) for side in sides))


def folder_split(folder: Path) -> Split:
    """Return the division of a set whose folders divide it: ``train/good``, ``test/good`` and ``test/CLASS``.

    There are no defects to choose by; each image counts as an object of its own.
    """
    return Split(
        _alone(image_files(folder / "train" / "good")),
        (),
        _alone(image_files(folder / "test" / "good")),
        _alone(defect_images(folder / "test")),
    )


def tile_objects(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the photographs of one class, those of one tile together.

    A new tile begins where the number jumps or the exposure does not rise.

    Raises:
        ValueError: when a name has no exposure and number.
    """
    found: list[list[Path]] = []
    last: tuple[int, int] | None = None
    for number, exposure, path in sorted(_exposure(path) for path in paths):
        if last is None or number - last[0] > _FARTHEST or exposure <= last[1]:
            found.append([])
        found[-1].append(path)
        last = (number, exposure)
    return _in_order(tuple(group) for group in found)


def files(objects: Iterable[Sequence[Path]]) -> list[Path]:
    """Return the photographs of objects."""
    return [path for group in objects for path in group]


def _exposure(path: Path) -> tuple[int, int, Path]:
    match = _TILE_NAME.match(path.stem)
    if match is None:
        raise ValueError(f"{path.name} has no exposure and number")
    return int(match[2]), int(match[1]), path


def _divided(
    objects: list[tuple[Path, ...]], first: int, every: int
) -> tuple[list[tuple[Path, ...]], list[tuple[Path, ...]]]:
    """Return every ``every``-th object from ``first``, and the others."""
    return objects[first::every], [group for index, group in enumerate(objects) if index % every != first]


def _alone(paths: Iterable[Path]) -> tuple[tuple[Path, ...], ...]:
    """Return each image as an object of its own."""
    return tuple(_in_order((path,) for path in paths))


def _in_order(objects: Iterable[tuple[Path, ...]]) -> list[tuple[Path, ...]]:
    return sorted(objects, key=lambda group: _digest(min(group)))


def _digest(path: Path) -> str:
    return sha256_of(path.name.encode())
