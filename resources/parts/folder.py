"""A set of sample parts as a folder of images, laid out as training and evaluation expect it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.parts.defects import DEFECT_CLASSES
from resources.parts.drawing import GOOD, draw_part
from resources.parts.opencv import cv2

DEFAULT_GOOD = 72
DEFAULT_TEST_GOOD = 30
DEFAULT_DEFECTS_PER_CLASS = 12
SECTION = 10_000
"""Each section of a set numbers its parts from a multiple of this: a larger one changes no part of another."""

_FAST_PNG = [int(cv2.IMWRITE_PNG_COMPRESSION), 1]


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One image of a set.

    Attributes:
        file: path below the set's folder, with ``/``.
        mask: path of the defect's mask, or None for a good part.
        label: ``"good"`` or the defect class.
        lot: the part's lot.
        serial_number: the part's serial number, unique in the set.
    """

    file: str
    mask: str | None
    label: str
    lot: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class PartsFolder:
    """Where a written set lies: ``train_good`` has images alone; ``test`` and ``masks`` a folder for each class."""

    directory: Path
    parts: tuple[PartRecord, ...]

    @property
    def train_good(self) -> Path:
        """Good images to fit on."""
        return self.directory / "train" / GOOD

    @property
    def test(self) -> Path:
        """Images to judge, in folders named by their label."""
        return self.directory / "test"

    @property
    def masks(self) -> Path:
        """PNG masks of the defects (255 on the defect), under the names of the images."""
        return self.directory / "masks"

    @property
    def labels(self) -> Path:
        """JSON file with label, lot and serial number of every image."""
        return self.directory / "labels.json"


def write_parts(
    directory: Path,
    *,
    good: int = DEFAULT_GOOD,
    test_good: int = DEFAULT_TEST_GOOD,
    defects_per_class: int = DEFAULT_DEFECTS_PER_CLASS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PartsFolder:
    """Draw a set of parts and write it: ``train/good``, ``test/<label>``, ``masks/<class>``, ``labels.json``.

    ``labels.json`` is written last: a folder that has it is complete. Images of an earlier, larger set in the same
    folder are removed; no other file is touched.

    Args:
        directory: folder to write; made when it does not exist.
        good: number of good parts to fit on.
        test_good: number of good parts to test with.
        defects_per_class: number of defective parts of each class.
        seed: number of the series.
        progress: called with (written, all) after every part.

    Raises:
        ValueError: when a count is negative or above ``SECTION``.
        OSError: when the folder cannot be written.
    """
    plan = _plan(good, test_good, defects_per_class)
    _remove_earlier(directory)
    records = []
    for done, (folder, index, defect) in enumerate(plan, start=1):
        part = draw_part(index, seed=seed, defect=defect)
        file, mask = f"{folder}/{part.name}.png", None
        _write_png(directory / file, np.ascontiguousarray(part.image[:, :, ::-1]))
        if defect is not None:
            mask = f"masks/{defect}/{part.name}.png"
            _write_png(directory / mask, part.mask.astype(np.uint8) * np.uint8(255))
        records.append(PartRecord(file, mask, part.label, part.lot, part.serial_number))
        if progress is not None:
            progress(done, len(plan))
    written = PartsFolder(directory, tuple(records))
    content = {"seed": seed, "parts": [asdict(record) for record in records]}
    written.labels.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
    return written


def _plan(good: int, test_good: int, defects_per_class: int) -> list[tuple[str, int, str | None]]:
    """Return (folder, index, defect) of every part of a set."""
    for count in (good, test_good, defects_per_class):
        if not 0 <= count <= SECTION:
            raise ValueError(f"a section of a set has 0 to {SECTION} parts, not {count}")
    plan: list[tuple[str, int, str | None]] = [(f"train/{GOOD}", number, None) for number in range(good)]
    plan += [(f"test/{GOOD}", SECTION + number, None) for number in range(test_good)]
    for place, defect in enumerate(DEFECT_CLASSES, start=2):
        plan += [(f"test/{defect}", place * SECTION + number, defect) for number in range(defects_per_class)]
    return plan


def _remove_earlier(directory: Path) -> None:
    """Remove the labels and the images of an earlier set, so that a smaller one leaves no stranger behind."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "labels.json").unlink(missing_ok=True)
    folders = [f"train/{GOOD}", f"test/{GOOD}"]
    folders += [f"{top}/{defect}" for top in ("test", "masks") for defect in DEFECT_CLASSES]
    for folder in folders:
        for image in (directory / folder).glob("part_" + "[0-9]" * 6 + ".png"):
            image.unlink()


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a BGR or grey image; bytes go through Python because OpenCV cannot open every Windows path."""
    written, content = cv2.imencode(".png", image, _FAST_PNG)
    if not written:
        raise RuntimeError(f"OpenCV could not encode {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
