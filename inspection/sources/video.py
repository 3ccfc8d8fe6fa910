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

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".gif", ".ts"})
_USUAL_RATE = 25.0
_FASTEST_RATE = 240.0
_LOOK_EVERY = 0.25
_TRY_EVERY = 0.1


class VideoSource(SourceBase):
    """The frames of a video file in order, RGB or grey.

    When the file vanishes, because a drive was pulled or a network folder is gone, the source is lost; when it is back
    it goes on with the frame behind the last one, or from the beginning when it is another file.

    Args:
        path: of the file.
        realtime: whether frames come at the pace of the video, as from a camera, or as fast as they are asked for.
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
        self._given = 0
        self._file: tuple[int, int] | None = None
        self._looked = 0.0

    @property
    def live(self) -> bool:
        """Whether frames come at the pace of the video."""
        return self.realtime

    def describe(self) -> str:
        """Say which file."""
        return f"video {self.path}"

    def open(self) -> None:
        """Open the file.

        Raises:
            NotFound: ``file-missing``.
            InvalidInput: ``video-unreadable`` when it is no video that FFmpeg knows.
            UnreadableImage: ``image-too-many-pixels``.
        """
        found = self._there()
        if found is None:
            raise NotFound("file-missing", file=str(self.path))
        capture = self._opened()
        if capture is None:
            raise InvalidInput("video-unreadable", name=self.path.name)
        self._period = 1 / capture.rate if 0 < capture.rate <= _FASTEST_RATE else 1 / _USUAL_RATE
        self._due = time.monotonic()
        self._capture = capture
        self._given, self._file, self._looked = 0, found, time.monotonic()
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
        """Let go of the file."""
        self._closed.set()
        self._release()
        super().close()

    def _next(self) -> Frame | None:
        """Return the next frame, or None when the file has ended or is gone, which ``state`` then says."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            if self._there() is None:
                self._lose()
                return None
        pixels = None if self._capture is None else self._capture.read()
        if pixels is None:
            if self._there() is None:
                self._lose()
                return None
            if self._sequence == 0:
                raise InvalidInput("video-unreadable", name=self.path.name)
            self._state = SourceState.ENDED
            return None
        self._due = max(self._due + self._period, now - self._period)
        self._given += 1
        return Frame(pixels, self.source_id, self._next_sequence(), path=self.path)

    def _lose(self) -> None:
        self._release()
        self._state = SourceState.LOST

    def _find_again(self) -> bool:
        found = self._there()
        if found is None:
            return False
        capture = self._opened()
        behind = self._given if found == self._file else 0
        if capture is None:
            # Still being copied, perhaps: tried again soon.
            return False
        if not capture.go_to(behind):
            capture.release()
            return False
        self._capture, self._file, self._given = capture, found, behind
        self._state = SourceState.OPEN
        self._due = self._looked = time.monotonic()
        return True

    def _opened(self) -> Capture | None:
        return Capture.opened(str(self.path), cv2.CAP_FFMPEG, name=self.path.name, limits=self._limits)

    def _there(self) -> tuple[int, int] | None:
        """Return size and time of the file, None when it is not there or its drive does not answer."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return (stat.st_size, stat.st_mtime_ns) if self.path.is_file() else None

    def _wait(self, seconds: float, deadline: float | None) -> bool:
        """Wait; return whether the time passed before the deadline and before the source was closed."""
        late = deadline is not None and time.monotonic() + seconds > deadline
        if late and deadline is not None:
            seconds = deadline - time.monotonic()
        return not (seconds > 0 and self._closed.wait(seconds)) and not late

    def _release(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
