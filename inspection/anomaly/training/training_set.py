"""The images of a training: deduplicated, and ordered by content so that names and folders do not affect the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.network_area import STANDARD_SIDE
from inspection.anomaly.preparation import choose_scale, require_scale, working_size
from inspection.anomaly.preprocessing import NO_PREPROCESSING, ImagePreprocessor
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.size_groups import SizeGroup, size_groups
from inspection.imaging.files import decode, decode_image, read_image_bytes
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.imaging.value_range import ValueRange
from models.errors import DoesNotFit, UnreadableImage
from models.storage import sha256_of

MIN_IMAGES = 5


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The images of a training, ordered by digest.

    Attributes:
        files: path and SHA-256 of each usable image, without exact duplicates.
        sizes: height and width of each preprocessed image, in whole pixels before resizing.
        given_sizes: height and width of each image as the model is given it, after resizing.
        duplicates: number of files left out as exact duplicates.
        skipped: path → error of each unusable file: unreadable, rejected by a step, or far larger than the others.
        preprocessor: applied to each image; none by default.
        reading: how the files are read.
        deep: number of images deeper than 8 bits.
        transparent: number of images with transparent parts, which are seen on white.
    """

    files: tuple[tuple[Path, str], ...]
    sizes: tuple[tuple[int, int], ...]
    given_sizes: tuple[tuple[int, int], ...]
    duplicates: int
    skipped: dict[str, UnreadableImage | DoesNotFit]
    preprocessor: ImagePreprocessor = NO_PREPROCESSING
    reading: Reading = AS_DECLARED
    deep: int = 0
    transparent: int = 0

    @property
    def value_range(self) -> ValueRange | None:
        """The range of values of images deeper than 8 bits; None when there are none."""
        return self.reading.values if self.deep else None

    @property
    def size_groups(self) -> tuple[SizeGroup, ...]:
        """The images by size where they have two very different ones, each enough for a training; else empty."""
        return size_groups(self.sizes, MIN_IMAGES)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all files, hexadecimal."""
        return sha256_of("".join(digest for _, digest in self.files).encode())

    def picture(self, index: int) -> Picture:
        """Return an image after preprocessing.

        Raises:
            UnreadableImage: ``image-changed`` when the file content changed since the scan; ``image-missing`` and the
                like when it can no longer be read.
        """
        return self.preprocessor(self._pixels(index))

    def rotated(self, index: int) -> Picture:
        """Return an image rotated by 180° before preprocessing, or after it where a step rejects the rotated image.

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
        """Return the pixels of a file, RGB ``(H, W, 3)`` uint8; raises as ``picture``."""
        path, digest = self.files[index]
        data = read_image_bytes(path)
        if sha256_of(data) != digest:
            raise UnreadableImage("image-changed", name=path.name)
        return decode_image(data, name=path.name, reading=self.reading)


def scan_images(
    paths: Sequence[Path],
    tracker: ProgressTracker,
    work: float,
    preprocessor: ImagePreprocessor = NO_PREPROCESSING,
    reading: Reading = AS_DECLARED,
) -> TrainingSet:
    """Read every image once and record its digest and size; pixels are not kept.

    Args:
        paths: the files, in any order.
        tracker: advanced by each file.
        work: work units of one file.
        preprocessor: applied to each image.
        reading: how the files are read.

    Raises:
        TrainingCancelled: when the training was cancelled.
    """
    found: dict[str, tuple[Path, tuple[int, int]]] = {}
    given: dict[str, tuple[int, int]] = {}
    skipped: dict[str, UnreadableImage | DoesNotFit] = {}
    duplicates, deep, transparent = 0, 0, 0
    for number, path in enumerate(paths, start=1):
        try:
            data = read_image_bytes(path)
            digest = sha256_of(data)
            if digest in found:
                duplicates += 1
            else:
                decoded = decode(data, name=path.name, reading=reading)
                picture = preprocessor(decoded.pixels)
                found[digest] = (path, original_size(picture))
                given[digest] = (picture.pixels.shape[0], picture.pixels.shape[1])
                deep += decoded.values is not None
                transparent += decoded.transparent
        except (UnreadableImage, DoesNotFit) as error:
            skipped[str(path)] = error
        tracker.advance(work, "reading", number, len(paths))
    if found:
        _drop_oversized(found, skipped)
    ordered = sorted(found.items())
    return TrainingSet(
        files=tuple((path, digest) for digest, (path, _) in ordered),
        sizes=tuple(size for _, (_, size) in ordered),
        given_sizes=tuple(given[digest] for digest, _ in ordered),
        duplicates=duplicates,
        skipped=skipped,
        preprocessor=preprocessor,
        reading=reading,
        deep=deep,
        transparent=transparent,
    )


def original_size(picture: Picture) -> tuple[int, int]:
    """Return height and width of a picture in whole pixels before resizing."""
    (height, width), (across, down) = picture.pixels.shape[:2], picture.resized
    return max(1, round(height / down)), max(1, round(width / across))


def _drop_oversized(
    found: dict[str, tuple[Path, tuple[int, int]]], skipped: dict[str, UnreadableImage | DoesNotFit]
) -> None:
    """Move images that are far larger than the others from ``found`` to ``skipped``."""
    scale = choose_scale([size for _, size in found.values()], STANDARD_SIDE)
    for digest, (path, (height, width)) in list(found.items()):
        try:
            require_scale(height, width, scale, STANDARD_SIDE)
        except DoesNotFit as error:
            skipped[str(path)] = error
            del found[digest]


def without_oversized(training_set: TrainingSet, preprocessing: Preprocessing) -> TrainingSet:
    """Return a training set whose images all fit the model; others are among ``skipped``."""
    skipped = dict(training_set.skipped)
    kept = []
    for index, ((path, _), size) in enumerate(zip(training_set.files, training_set.sizes, strict=True)):
        try:
            require_scale(*size, preprocessing.scale, preprocessing.side)
        except DoesNotFit as error:
            skipped[str(path)] = error
        else:
            kept.append(index)
    return replace(
        training_set,
        files=tuple(training_set.files[index] for index in kept),
        sizes=tuple(training_set.sizes[index] for index in kept),
        given_sizes=tuple(training_set.given_sizes[index] for index in kept),
        skipped=skipped,
    )


def require_one_size(training_set: TrainingSet, scale: float) -> None:
    """Check that all images of a training have the same size, in whole network pixels.

    Images are not resized to a common size: parts of different sizes would still not show the same content at the same
    position, and the scores of such a model would be meaningless.

    Args:
        training_set: the images.
        scale: network pixels per original pixel.

    Raises:
        DoesNotFit: ``images-not-aligned`` naming the most common size and one image of another size.
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
