"""The images of a folder, or files given by name, one after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from inspection.imaging.datasets import image_files, label_of, names_folder
from inspection.imaging.decoding import ColourMode
from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits, decode, read_image_bytes
from inspection.imaging.frames import Frame
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.sources.base import SourceBase, SourceState
from models.errors import NotFound, UnreadableImage
from models.storage import is_file, is_folder, is_there

_TRY_EVERY = 0.1


class FolderSource(SourceBase):
    """The image files of a folder and its sub-folders in the order of their paths, each once.

    When the whole folder disappears, because a drive was unplugged or a network folder is unavailable, the source is
    lost; when the folder is back it continues with the next image. A single missing file is reported and skipped.

    Args:
        folder: a folder, or one image file.
        paths: these files in this order, instead of all of the folder.
        mode: colour mode of the frames.
        limits: for each file.
        reading: what files leave open.
    """

    def __init__(
        self,
        folder: Path,
        *,
        paths: list[Path] | None = None,
        mode: ColourMode = "rgb",
        limits: ImageLimits = DEFAULT_LIMITS,
        reading: Reading = AS_DECLARED,
    ) -> None:
        super().__init__(f"folder:{folder.name}")
        self.folder = folder
        self._given = paths
        self._mode = mode
        self._limits = limits
        self._reading = reading
        self._paths: list[Path] = []
        self._position = 0
        self._closed = threading.Event()

    def __len__(self) -> int:
        """Return the number of files; known once the source is open."""
        return len(self._paths)

    @property
    def images_folder(self) -> Path | None:
        """The folder; None for one image file."""
        return None if self.folder.is_file() else self.folder

    def describe(self) -> str:
        """Return which folder is read."""
        return f"folder {self.folder}"

    def open(self) -> None:
        """List the files.

        Raises:
            NotFound: ``folder-missing`` or ``file-missing``.
            InvalidInput: ``folder-without-images``.
        """
        if self._given is not None:
            self._paths = list(self._given)
        elif is_file(self.folder):
            self._paths = [self.folder]
        elif is_there(self.folder) or names_folder(self.folder):
            self._paths = image_files(self.folder)
        else:
            raise NotFound("file-missing", file=str(self.folder))
        self._position = 0
        self._closed.clear()
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next image as a frame; None at the end, or while the folder is gone for ``timeout`` seconds.

        Raises:
            UnreadableImage: when the file is damaged or gone; the next call continues with the next file.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._state in {SourceState.OPEN, SourceState.LOST}:
            if self._position >= len(self._paths):
                self._state = SourceState.ENDED
                return None
            try:
                return self._next(self._paths[self._position])
            except UnreadableImage as error:
                if error.code not in {"image-missing", "image-not-readable"} or self._folder_is_there():
                    # Counted without a frame: a gap in the sequence shows that a file could not be read.
                    self._position += 1
                    self._next_sequence()
                    raise
                self._state = SourceState.LOST
            wait = _TRY_EVERY if deadline is None else min(_TRY_EVERY, deadline - time.monotonic())
            if wait <= 0 or self._closed.wait(wait):
                return None
        return None

    def close(self) -> None:
        """Stop; a read that waits for the folder returns."""
        self._closed.set()
        super().close()

    def _next(self, path: Path) -> Frame:
        data = read_image_bytes(path, limits=self._limits)
        image = decode(data, name=path.name, mode=self._mode, limits=self._limits, reading=self._reading)
        label = label_of(path, self.folder) if path.is_relative_to(self.folder) and path != self.folder else None
        self._position += 1
        self._state = SourceState.OPEN
        return Frame(
            image.pixels,
            self.source_id,
            self._next_sequence(),
            path=path,
            label=label,
            values=image.values,
            transparent=image.transparent,
        )

    def _folder_is_there(self) -> bool:
        # For files given by name an error is raised at once instead of waiting for the folder.
        if self._given is not None or self._paths == [self.folder]:
            return True
        return is_folder(self.folder)
