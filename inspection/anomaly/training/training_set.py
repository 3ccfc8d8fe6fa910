"""The images a training learns from: read once, without doubles, in an order that names and places do not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.anomaly.preparation import choose_scale, require_scale, working_size
from inspection.anomaly.preprocessing import NO_PREPROCESSING, ImagePreprocessor
from inspection.anomaly.training.progress import ProgressTracker
from inspection.imaging.files import decode_image, read_image_bytes
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit, UnreadableImage
from models.storage import sha256_of


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The images of a training in the order of their content.

    Attributes:
        files: path and SHA-256 of each image that can be used, exact duplicates once.
        sizes: height and width of what the model is given of each, in whole pixels of the image before it was resized.
        duplicates: how many files were left out because another has the same content.
        skipped: path → why the file cannot be used: unreadable, refused by a step, or far larger than the others.
        preprocessor: gives each image as it will be scored; the image as it is without more.
    """

    files: tuple[tuple[Path, str], ...]
    sizes: tuple[tuple[int, int], ...]
    duplicates: int
    skipped: dict[str, UnreadableImage | DoesNotFit]
    preprocessor: ImagePreprocessor = NO_PREPROCESSING

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all files, hexadecimal."""
        return sha256_of("".join(digest for _, digest in self.files).encode())

    def picture(self, index: int) -> Picture:
        """Return an image as the model is given it.

        Raises:
            UnreadableImage: ``image-changed`` when the file has another content than at first; ``image-missing`` and
                the like when it cannot be read any more.
        """
        return self.preprocessor(self._pixels(index))

    def turned(self, index: int) -> Picture:
        """Return an image by half a turn as the model is given it, or its result turned where a step refuses that.

        Raises:
            UnreadableImage: as ``picture``.
        """
        pixels = self._pixels(index)
        try:
            return self.preprocessor(np.ascontiguousarray(pixels[::-1, ::-1]))
        except DoesNotFit:
            picture = self.preprocessor(pixels)
            return picture.with_pixels(np.ascontiguousarray(picture.pixels[::-1, ::-1]))

    def _pixels(self, index: int) -> Pixels:
        """Return the pixels of a file, RGB ``(H, W, 3)`` uint8.

        Raises:
            UnreadableImage: ``image-changed`` when the file has another content than at first; ``image-missing`` and
                the like when it cannot be read any more.
        """
        path, digest = self.files[index]
        data = read_image_bytes(path)
        if sha256_of(data) != digest:
            raise UnreadableImage("image-changed", name=path.name)
        return decode_image(data, name=path.name)


def scan_images(
    paths: Sequence[Path], tracker: ProgressTracker, work: float, preprocessor: ImagePreprocessor = NO_PREPROCESSING
) -> TrainingSet:
    """Read every image once and keep what it is, not its pixels.

    Args:
        paths: the files, in any order.
        tracker: told of each file.
        work: what one file counts for in the tracker.
        preprocessor: gives each image as it will be scored.

    Raises:
        TrainingCancelled: when the tracker was cancelled.
    """
    found: dict[str, tuple[Path, tuple[int, int]]] = {}
    skipped: dict[str, UnreadableImage | DoesNotFit] = {}
    duplicates = 0
    for number, path in enumerate(paths, start=1):
        try:
            data = read_image_bytes(path)
            digest = sha256_of(data)
            if digest in found:
                duplicates += 1
            else:
                found[digest] = (path, _size(preprocessor(decode_image(data, name=path.name))))
        except (UnreadableImage, DoesNotFit) as error:
            skipped[str(path)] = error
        tracker.advance(work, "reading", number, len(paths))
    if found:
        _drop_oversized(found, skipped)
    ordered = sorted(found.items())
    return TrainingSet(
        files=tuple((path, digest) for digest, (path, _) in ordered),
        sizes=tuple(size for _, (_, size) in ordered),
        duplicates=duplicates,
        skipped=skipped,
        preprocessor=preprocessor,
    )


def _size(picture: Picture) -> tuple[int, int]:
    (height, width), (across, down) = picture.pixels.shape[:2], picture.resized
    return max(1, round(height / down)), max(1, round(width / across))


def _drop_oversized(
    found: dict[str, tuple[Path, tuple[int, int]]], skipped: dict[str, UnreadableImage | DoesNotFit]
) -> None:
    """Move images that are far larger than the others from ``found`` to ``skipped``."""
    scale = choose_scale([size for _, size in found.values()])
    for digest, (path, (height, width)) in list(found.items()):
        try:
            require_scale(height, width, scale)
        except DoesNotFit as error:
            skipped[str(path)] = error
            del found[digest]


def require_one_size(training_set: TrainingSet, scale: float) -> None:
    """Check that all images of a training have the same size, in whole pixels of the network.

    They are not squeezed to one: parts of different sizes do not show the same in the same place then either, and a
    model that learnt so would score by chance.

    Args:
        training_set: the images.
        scale: network pixels per original pixel.

    Raises:
        DoesNotFit: ``images-not-aligned`` naming the commonest size and one image that has another.
    """
    (height, width), _ = Counter(training_set.sizes).most_common(1)[0]
    wanted = working_size(height, width, scale)
    others = [index for index, size in enumerate(training_set.sizes) if working_size(*size, scale) != wanted]
    if others:
        name = training_set.files[others[0]][0].name
        raise DoesNotFit(
            "images-not-aligned",
            count=len(others),
            total=len(training_set.sizes),
            width=width,
            height=height,
            name=name,
        )
