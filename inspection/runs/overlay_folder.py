"""Names and writes overlays: beside those of earlier runs, and never among the images themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Self

from inspection.imaging.files import encode_png
from inspection.imaging.folders import linked_folders
from inspection.imaging.frames import Frame, Pixels
from inspection.runs.named_files import FileToInspect
from inspection.runs.overlay_mark import marked
from models.errors import InvalidInput
from models.storage import LONGEST_FILE_NAME, cut_to_bytes, make_folder, write_atomically


class OverlayFolder:
    """A folder that overlays are written to, each ``.png``.

    An overlay is named after its image file, in the same sub-folder; after the video file and the frame's number; else
    after the frame's capture time and number. Existing files are kept: a taken name gets ``-2``, ``-3``…; a name that
    would become too long is cut.

    Args:
        folder: for the overlays; created with the first one.
        images: the folder that the frames come from, where they come from one.

    Raises:
        InvalidInput: ``overlay-among-images`` when ``folder`` is ``images`` or lies in it, or in a folder that is
            linked into it: overlays would be read as new images.
    """

    def __init__(self, folder: Path, images: Path | None = None) -> None:
        if images is not None and any(lies_in(folder, holding) for holding in linked_folders(images)):
            raise InvalidInput("overlay-among-images", out=str(folder), folder=str(images))
        self.folder = folder
        self._images = images
        # A sub-folder of the same name could lead to the images.
        self._flat = images is not None and lies_in(images, folder)
        self._numbers: dict[Path, int] = {}

    @classmethod
    def for_files(cls, folder: Path, files: Sequence[FileToInspect]) -> Self:
        """Return the overlay folder of files whose list is known in advance.

        Raises:
            InvalidInput: ``overlay-over-image`` when an overlay would get the name of one of the images.
        """
        # Other than Path.resolve, this takes a link that leads to itself.
        images = {os.path.realpath(file.path) for file in files}
        planned: set[Path] = set()

        def taken(place: Path) -> bool:
            return place in planned or (os.path.realpath(place) not in images and os.path.lexists(place))

        for file in files:
            place, _ = first_free(folder / _as_png(file.name), taken)
            if os.path.realpath(place) in images:
                raise InvalidInput("overlay-over-image", file=str(place))
            planned.add(place)
        return cls(folder)

    def write(self, frame: Frame, overlay: Pixels, name: Path | None = None) -> Path:
        """Write the overlay of a frame as PNG and return its file.

        Args:
            frame: the frame.
            overlay: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
            name: of the frame's file, relative to the folder that was given; None derives one from the frame.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        wanted = self.folder / (self._name(frame) if name is None else _as_png(name))
        # Starting from the last number keeps a file that arrives again and again from being searched for from 1.
        place, number = first_free(wanted, os.path.lexists, self._numbers.get(wanted, 1))
        if number > 1:
            self._numbers[wanted] = number
        make_folder(place.parent)
        write_atomically(place, marked(encode_png(overlay)))
        return place

    def _name(self, frame: Frame) -> Path:
        if frame.path is None:
            captured = frame.captured_at.astimezone(UTC)
            return Path(f"{captured:%Y%m%dT%H%M%S.%fZ}-{frame.sequence:06}.png")
        if self._images is not None and not self._flat and frame.path.is_relative_to(self._images):
            return _as_png(frame.path.relative_to(self._images))
        number = "" if is_whole_file(frame) else f"-{frame.sequence:06}"
        return Path(f"{frame.path.stem}{number}.png")


def first_free(wanted: Path, taken: Callable[[Path], bool], number: int = 1) -> tuple[Path, int]:
    """Return the first of ``wanted``, ``wanted-2``, ``wanted-3``… that is not taken, and its number.

    Args:
        wanted: the name without a number.
        taken: whether a name is in use.
        number: to begin with.
    """
    while taken(place := _numbered(wanted, number)):
        number += 1
    return place, number


def _numbered(wanted: Path, number: int) -> Path:
    """Return a name with its number; where it would be too long for a file, its stem is cut."""
    end = wanted.suffix if number == 1 else f"-{number}{wanted.suffix}"
    return wanted.with_name(cut_to_bytes(wanted.stem, LONGEST_FILE_NAME - len(os.fsencode(end))) + end)


def is_whole_file(frame: Frame) -> bool:
    """Return whether a frame is an image file of its own, not one of the frames of a video or camera."""
    return frame.path is not None and not frame.source_id.startswith("video:")


def lies_in(folder: Path, other: Path) -> bool:
    """Return whether ``folder`` is ``other`` or lies in it, links and different spellings resolved."""
    resolved = Path(os.path.realpath(folder))
    return any(_are_same(place, Path(os.path.realpath(other))) for place in (resolved, *resolved.parents))


def _as_png(name: Path) -> Path:
    return name.with_suffix(".png")


def _are_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        # One of them does not exist.
        return False
