"""Frames of a video file."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources.base import SourceBase, SourceState
from inspection.sources.capture import Capture
from models.errors import InvalidInput, NotFound

_USUAL_RATE = 25.0
_FASTEST_RATE = 240.0
_CHECK_EVERY = 0.25
_TRY_EVERY = 0.1


class VideoSource(SourceBase):
    """The frames of a video file in order, RGB or grey.

    When the file disappears, because a drive was unplugged or a network folder is unavailable, the source is lost; when
    it is back it continues after the last frame, or from the beginning when it is a different file.

    Args:
        path: of the file.
        realtime: whether frames arrive at the frame rate of the video, as from a camera, or as fast as they are read.
        limits: for each frame.
    """

    def __init__(self, path: Path, *, realtime: bool = False, limits: ImageLimits = DEFAULT_LIMITS) -> None:
        super().__init__(f"video:{path.name}")
        self.path = path
        self.realtime = realtime
        self._limits = limits
        self._capture: Capture | None = None
        self._closed = threading.Event()
        self._period = 1 / _USUAL_RATE
        self._due = 0.0
        self._frames_read = 0
        self._file: tuple[int, int] | None = None
        self._checked = 0.0

    @property
    def live(self) -> bool:
        """Whether frames arrive at the frame rate of the video."""
        return self.realtime

    def describe(self) -> str:
        """Return which file is read."""
        return f"video {self.path}"

    def open(self) -> None:
        """Open the file.

        Raises:
            NotFound: ``file-missing``.
            InvalidInput: ``video-unreadable`` when FFmpeg cannot open it.
            UnreadableImage: ``image-too-many-pixels``.
        """
        found = self._file_state()
        if found is None:
            raise NotFound("file-missing", file=str(self.path))
        capture = self._opened()
        if capture is None:
            raise InvalidInput("video-unreadable", name=self.path.name)
        self._period = 1 / capture.rate if 0 < capture.rate <= _FASTEST_RATE else 1 / _USUAL_RATE
        self._due = time.monotonic()
        self._capture = capture
        self._frames_read, self._file, self._checked = 0, found, time.monotonic()
        self._closed.clear()
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame; None at the end, or when there is none within ``timeout``.

        Raises:
            InvalidInput: ``video-unreadable`` when not even the first frame can be decoded.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._state in {SourceState.OPEN, SourceState.LOST}:
            if self._state is SourceState.LOST and not self._find_again():
                if not self._wait(_TRY_EVERY, deadline):
                    return None
                continue
            if self.realtime and not self._wait(self._due - time.monotonic(), deadline):
                return None
            frame = self._next()
            if frame is not None:
                return frame
        return None

    def close(self) -> None:
        """Release the file."""
        self._closed.set()
        self._release()
        super().close()

    def _next(self) -> Frame | None:
        """Return the next frame, or None when the file has ended or is missing, as ``state`` then shows."""
        now = time.monotonic()
        if now - self._checked >= _CHECK_EVERY:
            self._checked = now
            if self._file_state() is None:
                self._lose()
                return None
        pixels = None if self._capture is None else self._capture.read()
        if pixels is None:
            if self._file_state() is None:
                self._lose()
                return None
            if self._sequence == 0:
                raise InvalidInput("video-unreadable", name=self.path.name)
            self._state = SourceState.ENDED
            return None
        self._due = max(self._due + self._period, now - self._period)
        self._frames_read += 1
        return Frame(pixels, self.source_id, self._next_sequence(), path=self.path)

    def _lose(self) -> None:
        self._release()
        self._state = SourceState.LOST

    def _find_again(self) -> bool:
        found = self._file_state()
        if found is None:
            return False
        capture = self._opened()
        position = self._frames_read if found == self._file else 0
        if capture is None:
            # It may still be copied: retried soon.
            return False
        if not capture.seek(position):
            capture.release()
            return False
        self._capture, self._file, self._frames_read = capture, found, position
        self._state = SourceState.OPEN
        self._due = self._checked = time.monotonic()
        return True

    def _opened(self) -> Capture | None:
        return Capture.opened(str(self.path), cv2.CAP_FFMPEG, name=self.path.name, limits=self._limits)

    def _file_state(self) -> tuple[int, int] | None:
        """Return size and modification time of the file, None when it is missing or its drive does not respond."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return (stat.st_size, stat.st_mtime_ns) if self.path.is_file() else None

    def _wait(self, seconds: float, deadline: float | None) -> bool:
        """Wait; return whether the time elapsed before the deadline and before the source was closed."""
        late = deadline is not None and time.monotonic() + seconds > deadline
        if late and deadline is not None:
            seconds = deadline - time.monotonic()
        return not (seconds > 0 and self._closed.wait(seconds)) and not late

    def _release(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
