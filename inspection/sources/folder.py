"""Images of a folder, one after the other."""

from __future__ import annotations

from pathlib import Path

from inspection.datasets import image_files, label_of
from inspection.frames import Frame
from inspection.images import DEFAULT_LIMITS, ColourMode, ImageLimits, read_image
from inspection.sources.base import SourceBase, SourceState
from models.errors import NotFound


class FolderSource(SourceBase):
    """The image files of a folder and its sub-folders in the order of their paths, each once.

    Args:
        folder: a folder, or one image file.
        paths: these files of the folder in this order, instead of all.
        mode: colour mode of the frames.
        limits: for each file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        paths: list[Path] | None = None,
        mode: ColourMode = "rgb",
        limits: ImageLimits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(f"folder:{folder.name}")
        self.folder = folder
        self._given = paths
        self._mode = mode
        self._limits = limits
        self._paths: list[Path] = []
        self._position = 0

    def __len__(self) -> int:
        """Return how many files there are in all; known once the source is open."""
        return len(self._paths)

    def describe(self) -> str:
        """Say which folder."""
        return f"folder {self.folder}"

    def open(self) -> None:
        """List the files.

        Raises:
            NotFound: ``folder-missing`` or ``file-missing``.
            InvalidInput: ``folder-without-images``.
        """
        if self._given is not None:
            self._paths = list(self._given)
        elif self.folder.is_file():
            self._paths = [self.folder]
        elif self.folder.exists() or not self.folder.suffix:
            self._paths = image_files(self.folder)
        else:
            raise NotFound("file-missing", file=str(self.folder))
        self._position = 0
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:  # noqa: ARG002 - a file needs no waiting
        """Return the next image as a frame.

        Raises:
            UnreadableImage: when the file is damaged or gone; the next call goes on with the next file.
        """
        if self._state is not SourceState.OPEN:
            return None
        if self._position >= len(self._paths):
            self._state = SourceState.ENDED
            return None
        path = self._paths[self._position]
        self._position += 1
        # Counted before decoding: a gap in the sequence shows that a file could not be read.
        sequence = self._next_sequence()
        pixels = read_image(path, mode=self._mode, limits=self._limits)
        label = label_of(path, self.folder) if path.is_relative_to(self.folder) and path != self.folder else None
        return Frame(pixels, self.source_id, sequence, path=path, label=label)
