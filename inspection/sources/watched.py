"""New images of a folder that another system writes them to."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from inspection.imaging.datasets import label_of
from inspection.imaging.decoding import ColourMode
from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits, decode, read_image_bytes
from inspection.imaging.frames import Frame
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.sources.arrivals import Arrivals
from inspection.sources.base import SourceBase, SourceState
from inspection.sources.listing import Listing, list_images, state_of
from models.errors import InvalidInput, NotFound, UnreadableImage
from models.storage import reason_of

SETTLE = 0.2
PATIENCE = 5.0
_POLL = 0.1
_SHARE_OF_TIME = 10
_WHILE_WRITTEN = frozenset({"image-truncated", "image-not-readable", "image-unknown-format", "image-damaged"})


class WatchedFolderSource(SourceBase):
    """The image files that appear in a folder and its sub-folders from the moment it is opened, each once.

    The folder is polled instead of watched through the operating system: that works the same on every system, and on
    network drives, where changes by other computers are not notified. Listing takes at most a tenth of the time, so a
    folder of very many files is polled less often. A file is taken once it has not changed for ``settle`` seconds and
    can be decoded; one that cannot be decoded is retried until it has not changed for ``patience`` seconds, because it
    may still be written slowly. Hidden files and other kinds of file are skipped.

    When the folder disappears, or can no longer be listed, the source is lost; it continues with the new files when the
    folder is back. A sub-folder that cannot be listed does not delay the others; it is reported once, and its files are
    read as soon as it can be listed.

    Args:
        folder: to watch.
        include_existing: whether to read the files that exist when the source is opened too.
        settle: seconds.
        patience: seconds.
        mode: colour mode of the frames.
        limits: for each file.
        reading: what files leave open.
    """

    def __init__(
        self,
        folder: Path,
        *,
        include_existing: bool = False,
        settle: float = SETTLE,
        patience: float = PATIENCE,
        mode: ColourMode = "rgb",
        limits: ImageLimits = DEFAULT_LIMITS,
        reading: Reading = AS_DECLARED,
    ) -> None:
        super().__init__(f"watch:{folder.name}")
        self.folder = folder
        self._include_existing = include_existing
        self._settle = settle
        self._patience = patience
        self._mode = mode
        self._limits = limits
        self._reading = reading
        self._closed = threading.Event()
        self._arrivals = Arrivals(settle)
        self._pause = _POLL
        self._listed = -1.0
        self._waiting: list[str] = []
        self._reported: set[str] = set()
        self._to_report: list[UnreadableImage] = []

    @property
    def answers_events(self) -> bool:
        """Each frame is a file that appeared."""
        return True

    @property
    def images_folder(self) -> Path:
        """The folder."""
        return self.folder

    def describe(self) -> str:
        """Return which folder is watched."""
        return f"watched folder {self.folder}"

    def open(self) -> None:
        """Start watching.

        Raises:
            NotFound: ``folder-missing``.
            InvalidInput: ``folder-not-readable`` when it cannot be listed.
        """
        try:
            listing = list_images(self.folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound("folder-missing", folder=str(self.folder)) from error
        except OSError as error:
            raise InvalidInput("folder-not-readable", folder=str(self.folder), reason=reason_of(error)) from error
        self._arrivals = Arrivals(self._settle)
        self._waiting, self._to_report, self._reported = [], [], set()
        if not self._include_existing:
            self._arrivals.skip(listing.files)
        self._listed = -1.0
        self._closed.clear()
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next new image; wait for one.

        Raises:
            UnreadableImage: when a file has not changed for ``patience`` seconds and still cannot be decoded; once,
                with ``folder-not-readable``, for a sub-folder that cannot be listed. The next call continues with the
                next file.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._state in {SourceState.OPEN, SourceState.LOST}:
            if time.monotonic() >= self._listed + self._pause:
                self._poll()
            frame = self._next()
            if frame is not None:
                return frame
            wait = max(0.0, self._listed + self._pause - time.monotonic())
            if deadline is not None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return None
                wait = min(wait, remaining)
            if self._closed.wait(wait):
                return None
        return None

    def close(self) -> None:
        """Stop watching; a waiting read returns."""
        self._closed.set()
        super().close()

    def _poll(self) -> None:
        began = time.monotonic()
        try:
            listing = list_images(self.folder)
        except OSError:
            listing = None
        self._listed = time.monotonic()
        self._pause = max(_POLL, _SHARE_OF_TIME * (self._listed - began))
        if self._closed.is_set():
            return
        if listing is None:
            # The state of its files is kept: they are not new when the folder is back.
            self._state = SourceState.LOST
            self._waiting = []
            return
        self._state = SourceState.OPEN
        self._waiting = self._arrivals.ready(listing.files, self._listed)
        self._note_refused(listing)

    def _note_refused(self, listing: Listing) -> None:
        """Queue an error for each place that cannot be read, once until it can be read again."""
        refused = {
            name: UnreadableImage("folder-not-readable", folder=str(self.folder / name), reason=reason_of(error))
            for name, error in listing.refused_folders.items()
        } | {name: self._file_error(name, error) for name, error in listing.refused_files.items()}
        self._to_report += [error for name, error in sorted(refused.items()) if name not in self._reported]
        self._reported = set(refused)

    def _file_error(self, name: str, error: OSError) -> UnreadableImage:
        if isinstance(error, FileNotFoundError):
            return UnreadableImage("image-link-broken", name=name, target=os.path.realpath(self.folder / name))
        return UnreadableImage("image-not-readable", name=name, reason=reason_of(error))

    def _next(self) -> Frame | None:
        if self._to_report:
            raise self._to_report.pop(0)
        while self._waiting:
            name = self._waiting.pop(0)
            path = self.folder / name
            try:
                data = read_image_bytes(path, limits=self._limits)
                image = decode(data, name=path.name, mode=self._mode, limits=self._limits, reading=self._reading)
            except UnreadableImage as error:
                if error.code == "image-missing" or self._may_be_written(name, error):
                    continue
                self._arrivals.take(name)
                self._next_sequence()
                raise
            try:
                unchanged = state_of(path) == self._arrivals.state(name)
            except OSError:
                # The drive was removed just now; the next listing reports it.
                continue
            if not unchanged:
                continue
            self._arrivals.take(name)
            label = label_of(path, self.folder)
            return Frame(
                image.pixels,
                self.source_id,
                self._next_sequence(),
                path=path,
                label=label,
                values=image.values,
                transparent=image.transparent,
            )
        return None

    def _may_be_written(self, name: str, error: UnreadableImage) -> bool:
        recent = self._arrivals.unchanged_for(name, time.monotonic()) < self._patience
        return recent and error.code in _WHILE_WRITTEN
