"""What the choice of turned copies does: on sets of parts in any orientation, and on all sets as they are.

``python -m app.benchmarks.inspection.rotation_study DATA [SET ...]`` trains on drawn screws at any angle, on castings
and plates turned by random angles, and on every set as it is, and prints one row each: what the training chose by
itself, what it measured on drawn defects, and the image AUROC of the test images without turned copies and with them.
No test image takes part in the choice.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.benchmarks.inspection.drawn_screws import write_screws
from app.benchmarks.inspection.image_sets import ImageSet, image_sets
from app.benchmarks.inspection.splits import files
from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.anomaly.manifest import RotationRecord
from inspection.anomaly.training.settings import RotationName
from inspection.anomaly.training.turned_copies import turned
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.picture import Picture
from inspection.metrics import image_auroc
from models.storage import write_atomically

TURNED = ("casting", "plate")
# The threshold is not looked at, so two folds are enough; the choice compares 40 images at most.
_FOLDS, _MOST_GOOD, _MOST_TEST = 2, 40, 40
_HEADER = ("set", "turned copies", "drawn: without", "drawn: with", "test: without", "test: with")


@dataclass(frozen=True, slots=True)
class StudiedSet:
    """Images of one set.

    Attributes:
        name: in the table.
        good: to train on.
        test_good: good images of the test.
        test_defects: images of defects of the test.
    """

    name: str
    good: Sequence[Path]
    test_good: Sequence[Path]
    test_defects: Sequence[Path]


def studied_sets(data: Path, folder: Path, names: Sequence[str]) -> Iterator[StudiedSet]:
    """Yield the named sets, or all: screws, turned sets, the sets as they are; made images are put in ``folder``."""
    if not names or "screws" in names:
        yield StudiedSet(
            "screws",
            write_screws(folder / "good", range(_MOST_GOOD)),
            write_screws(folder / "test", range(1000, 1000 + _MOST_TEST)),
            write_screws(folder / "defects", range(2000, 2000 + _MOST_TEST), defective=True),
        )
    sets = image_sets(data)
    for images in sets:
        if images.name in TURNED and (not names or f"{images.name}-turned" in names):
            yield _studied(images, f"{images.name}-turned", lambda paths, place: turned_files(paths, folder / place))
    for images in sets:
        if not names or images.name in names:
            yield _studied(images, images.name, lambda paths, _place: paths)


def _studied(images: ImageSet, name: str, made: Callable[[Sequence[Path], str], Sequence[Path]]) -> StudiedSet:
    split = images.split
    return StudiedSet(
        name,
        made(files(split.good)[:_MOST_GOOD], f"{name}/good"),
        made(files(split.test_good)[:_MOST_TEST], f"{name}/test"),
        made(files(split.test_defects)[:_MOST_TEST], f"{name}/defects"),
    )


def turned_files(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write each image turned by a random angle to ``folder``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, path in enumerate(paths):
        angle = float(np.random.default_rng([number, len(paths)]).uniform(0, 360))
        picture, _ = turned(Picture.original(read_image(path)), angle)
        found.append(folder / f"{number:04}.png")
        write_atomically(found[-1], encode_png(picture.pixels))
    return found


def study(images: StudiedSet, folder: Path) -> tuple[RotationRecord, float, float]:
    """Return what a training chooses, and the image AUROC of the test without turned copies and with them."""
    chosen, _ = _trained(images, "auto", folder)
    _, without = _trained(images, "fixed", folder)
    _, copies = _trained(images, "any", folder)
    return chosen, without, copies


def _trained(images: StudiedSet, rotation: RotationName, folder: Path) -> tuple[RotationRecord, float]:
    path = folder / f"{images.name}-{rotation}.model"
    report = train_images(list(images.good), path, TrainingSettings(rotation=rotation, folds=_FOLDS))
    if report.manifest.rotation is None:
        raise RuntimeError("the training recorded nothing about rotation")
    if rotation == "auto":
        return report.manifest.rotation, 0.0
    model = load_bundle(path)
    good = [model.score(read_image(file)).score for file in images.test_good]
    defects = [model.score(read_image(file)).score for file in images.test_defects]
    separation = image_auroc(good, defects)
    if separation is None:
        raise RuntimeError("the test has no good images or no defects")
    return report.manifest.rotation, separation


def main(data: Path, names: Sequence[str]) -> None:
    """Print the table row by row."""
    with tempfile.TemporaryDirectory() as folder:
        _print(_HEADER)
        _print(["---"] * len(_HEADER))
        for images in studied_sets(data, Path(folder), names):
            record, without, copies = study(images, Path(folder))
            drawn = (record.separation_fixed, record.separation_turned)
            measured = ["–" if value is None else f"{value:.3f}" for value in drawn]
            _print([images.name, "yes" if record.rotations > 1 else "no", *measured, f"{without:.3f}", f"{copies:.3f}"])


def _print(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
