"""The demo's parts: drawn ones, or the images of any two folders; mixed, so that good and bad come as on a line."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inspection.imaging.datasets import good_images, image_files, is_good, label_of
from inspection.imaging.files import read_image
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.imaging.set_range import range_of_set
from inspection.sources.folder import FolderSource
from models.errors import InvalidInput, UnreadableImage
from models.storage import not_written

TARGET_DEFECTS: tuple[tuple[str, str, str], ...] = (
    ("scratch", "Scratch", "傷"),
    ("contamination", "Contamination", "汚れ"),
    ("deformation", "Deformation", "変形"),
)
"""Code, English and Japanese name of the drawn parts' defects."""


@dataclass(frozen=True, slots=True)
class DemoPart:
    """One part that will lie under the camera.

    Attributes:
        label: name of its sub-folder; None for an image that lies in none.
    """

    path: Path
    label: str | None
    lot: str
    serial_number: str

    @property
    def good(self) -> bool | None:
        """What the label says; None without one."""
        return None if self.label is None else is_good(self.label)


@dataclass(frozen=True, slots=True)
class DemoParts:
    """Good images to learn from and parts to inspect, in the order in which they come.

    Attributes:
        test_folder: the folder that the parts' labels are sub-folders of.
        left_out: sub-folders of the good images that are excluded, with the number of images in each.
        taken_whole: sub-folders of the good images whose names are no labels of good parts.
        reading: how the images are read: those deeper than 8 bits by the range that the good ones use.
    """

    name: str
    train_good: tuple[Path, ...]
    test_folder: Path
    test: tuple[DemoPart, ...]
    defect_classes: tuple[tuple[str, str, str], ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    taken_whole: tuple[str, ...] = ()
    reading: Reading = AS_DECLARED

    def source(self) -> FolderSource:
        """Return an image source that gives the parts in their order."""
        return FolderSource(self.test_folder, paths=[part.path for part in self.test], reading=self.reading)

    def part_at(self, path: Path | None) -> DemoPart:
        """Return the part whose image is the file ``path``."""
        return next(part for part in self.test if part.path == path)


def drawn_parts(folder: Path, *, name: str, limit: int | None, on_progress: Callable[[int, int], None]) -> DemoParts:
    """Draw the sample parts into ``folder`` and return them.

    Args:
        folder: where the images go.
        name: of what they are parts of, for people.
        limit: inspect this many of the drawn parts only, of every label its share; None for all.
        on_progress: called with parts drawn and parts in all.

    Raises:
        Unavailable: ``file-disk-full`` when there is no room, ``file-not-written`` when the system refuses otherwise.
    """
    from resources.parts import write_parts

    try:
        written = write_parts(folder, progress=on_progress)
    except OSError as error:
        raise not_written(folder, error) from error
    records = {folder / record.file: record for record in written.parts}
    test = [
        DemoPart(path, records[path].label, records[path].lot, records[path].serial_number)
        for path in image_files(written.test)
    ]
    return DemoParts(
        name=name,
        train_good=tuple(image_files(written.train_good)),
        test_folder=written.test,
        test=_mixed(test, limit),
        defect_classes=TARGET_DEFECTS,
    )


def given_parts(good: Path, test: Path, *, limit: int | None) -> DemoParts:
    """Return the images of two folders as parts.

    Args:
        good: folder of good images to train on, chosen by ``good_images``.
        test: folder of images to inspect; sub-folder names are labels.
        limit: inspect this many only, of every label its share; None for all.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images`` or ``demo-too-few-good``; ``demo-images-unreadable`` when too few of the
            good images, or none to inspect, can be read; ``images-depths-differ``.
    """
    from inspection.anomaly.training.training_set import MIN_IMAGES

    chosen_good = good_images(good)
    train = tuple(chosen_good.files)
    if len(train) < MIN_IMAGES:
        raise InvalidInput("demo-too-few-good", folder=str(good), found=len(train), needed=MIN_IMAGES)
    set_range = range_of_set(train)
    reading = AS_DECLARED if set_range is None else Reading(set_range.values)
    _require_readable(good, train, MIN_IMAGES, reading)
    parts = [
        DemoPart(path, label_of(path, test), "DEMO", f"{number:05d}")
        for number, path in enumerate(image_files(test), start=1)
    ]
    chosen = _mixed(parts, limit)
    _require_readable(test, [part.path for part in chosen], 1, reading)
    classes = sorted({part.label for part in parts if part.label is not None and not part.good})
    return DemoParts(
        name=test.resolve().parent.name or test.name,
        train_good=train,
        test_folder=test,
        test=chosen,
        defect_classes=tuple((label[:64], label[:200], label[:200]) for label in classes),
        left_out=chosen_good.left_out,
        taken_whole=chosen_good.taken_whole,
        reading=reading,
    )


def _require_readable(folder: Path, images: Sequence[Path], needed: int, reading: Reading) -> None:
    """Check, before the server starts, that the work can be done: ``needed`` of the images can be read.

    Stops at as many, so a folder of good images costs the reading of a few; a damaged one among them is reported later.

    Raises:
        InvalidInput: ``demo-images-unreadable``.
    """
    readable, first_bad = 0, ""
    for path in images:
        try:
            read_image(path, reading=reading)
        except UnreadableImage:
            first_bad = first_bad or path.name
        else:
            readable += 1
            if readable == needed:
                return
    raise InvalidInput(
        "demo-images-unreadable",
        folder=str(folder),
        found=len(images),
        readable=readable,
        needed=needed,
        file=first_bad,
    )


def _mixed(parts: list[DemoPart], limit: int | None) -> tuple[DemoPart, ...]:
    """Return the parts in one fixed random order, thinned evenly over the labels to ``limit``."""
    order = random.Random(0)  # noqa: S311 - mixing cards, not keeping secrets
    mixed = list(parts)
    order.shuffle(mixed)
    if limit is None or limit >= len(mixed):
        return tuple(mixed)
    by_label = sorted(range(len(mixed)), key=lambda place: (mixed[place].label or "", place))
    chosen = {by_label[place * len(mixed) // limit] for place in range(limit)}
    return tuple(part for place, part in enumerate(mixed) if place in chosen)
