"""The images a training learns from: read once, without doubles, in an order that names and places do not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.anomaly.preparation import choose_scale, require_scale
from inspection.anomaly.preprocessing import AS_THEY_ARE, ImageView
from inspection.anomaly.training.progress import Course
from inspection.imaging.files import decode_image, read_image_bytes
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit, UnreadableImage
from models.storage import sha256_of


@dataclass(frozen=True, slots=True)
class Material:
    """The images of a training in the order of their content.

    Attributes:
        files: path and SHA-256 of each image that can be used, exact duplicates once.
        sizes: height and width of what the model is given of each, in whole pixels of the image before it was resized.
        duplicates: how many files were left out because another has the same content.
        skipped: path → why the file cannot be used: unreadable, refused by a step, or far larger than the others.
        view: gives each image as it will be scored; the image as it is without more.
    """

    files: tuple[tuple[Path, str], ...]
    sizes: tuple[tuple[int, int], ...]
    duplicates: int
    skipped: dict[str, UnreadableImage | DoesNotFit]
    view: ImageView = AS_THEY_ARE

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
        return self.view(self._pixels(index))

    def turned(self, index: int) -> Picture:
        """Return an image by half a turn as the model is given it, or its view turned where a step refuses that.

        Raises:
            UnreadableImage: as ``picture``.
        """
        pixels = self._pixels(index)
        try:
            return self.view(np.ascontiguousarray(pixels[::-1, ::-1]))
        except DoesNotFit:
            picture = self.view(pixels)
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


def look_at(paths: Sequence[Path], course: Course, work: float, view: ImageView = AS_THEY_ARE) -> Material:
    """Read every image once and keep what it is, not its pixels.

    Args:
        paths: the files, in any order.
        course: told of each file.
        work: what one file counts for in the course.
        view: gives each image as it will be scored.

    Raises:
        TrainingCancelled: when the course was cancelled.
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
                found[digest] = (path, _size(view(decode_image(data, name=path.name))))
        except (UnreadableImage, DoesNotFit) as error:
            skipped[str(path)] = error
        course.advance(work, "reading", number, len(paths))
    if found:
        _drop_giants(found, skipped)
    ordered = sorted(found.items())
    return Material(
        files=tuple((path, digest) for digest, (path, _) in ordered),
        sizes=tuple(size for _, (_, size) in ordered),
        duplicates=duplicates,
        skipped=skipped,
        view=view,
    )


def _size(picture: Picture) -> tuple[int, int]:
    (height, width), (across, down) = picture.pixels.shape[:2], picture.resized
    return max(1, round(height / down)), max(1, round(width / across))


def _drop_giants(
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
