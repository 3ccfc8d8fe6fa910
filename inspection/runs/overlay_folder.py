"""Where the overlays of frames go: beside those of earlier runs, and never among the images themselves."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path

from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame, Pixels
from models.errors import InvalidInput
from models.storage import make_folder, write_atomically


class OverlayFolder:
    """A folder that gets overlays.

    One is named by the image file it belongs to, in the same sub-folder; by the video file and the number of its frame;
    else by the time the frame was captured and its number. What is there already is kept: a name that is taken gets
    ``-2``, ``-3``….

    Args:
        folder: for the overlays; made with the first.
        images: the folder that the frames come from, where they come from one.

    Raises:
        InvalidInput: ``overlay-among-images`` when ``folder`` is ``images`` or lies in it: overlays would come back as
            new images.
    """

    def __init__(self, folder: Path, images: Path | None = None) -> None:
        if images is not None and lies_in(folder, images):
            raise InvalidInput("overlay-among-images", out=str(folder), folder=str(images))
        self.folder = folder
        self._images = images
        # A sub-folder of the same name could lead to the images.
        self._flat = images is not None and lies_in(images, folder)
        self._numbers: dict[Path, int] = {}

    def write(self, frame: Frame, overlay: Pixels) -> Path:
        """Write the overlay of a frame as PNG and return its file.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        place = self._free(self.folder / self._name(frame))
        make_folder(place.parent)
        write_atomically(place, encode_png(overlay))
        return place

    def _name(self, frame: Frame) -> Path:
        if frame.path is None:
            captured = frame.captured_at.astimezone(UTC)
            return Path(f"{captured:%Y%m%dT%H%M%S.%fZ}-{frame.sequence:06}.png")
        if self._images is not None and not self._flat and frame.path.is_relative_to(self._images):
            return frame.path.relative_to(self._images).with_suffix(".png")
        number = "" if is_whole_file(frame) else f"-{frame.sequence:06}"
        return Path(f"{frame.path.stem}{number}.png")

    def _free(self, wanted: Path) -> Path:
        """Return the first of the names that is free; where to go on for a file that comes again and again is known."""
        number = self._numbers.get(wanted, 1)
        while os.path.lexists(place := numbered(wanted, number)):
            number += 1
        if number > 1:
            self._numbers[wanted] = number
        return place


def is_whole_file(frame: Frame) -> bool:
    """Say whether a frame is an image file of its own, not one of the frames of a video or camera."""
    return frame.path is not None and not frame.source_id.startswith("video:")


def lies_in(folder: Path, other: Path) -> bool:
    """Say whether ``folder`` is ``other`` or lies in it, whatever links and spellings lead to them."""
    resolved = Path(os.path.realpath(folder))
    return any(_are_same(place, Path(os.path.realpath(other))) for place in (resolved, *resolved.parents))


def numbered(place: Path, number: int) -> Path:
    """Return the name of the ``number``-th file that would be ``place``: itself, then ``-2``, ``-3``…."""
    return place if number == 1 else place.with_stem(f"{place.stem}-{number}")


def _are_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        # One of them is not there.
        return False
