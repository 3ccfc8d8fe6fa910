"""Frames of a video file."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from inspection.frames import Frame
from inspection.opencv import cv2
from inspection.sources.base import SourceBase, SourceState
from models.errors import InvalidInput, NotFound

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".gif", ".ts"})
_USUAL_RATE = 25.0
_FASTEST_RATE = 240.0


class VideoSource(SourceBase):
    """The frames of a video file in order, RGB.

    Args:
        path: of the file.
        realtime: whether frames come at the pace of the video, as from a camera, or as fast as they are asked for.
    """

    def __init__(self, path: Path, *, realtime: bool = False) -> None:
        super().__init__(f"video:{path.name}")
        self.path = path
        self.realtime = realtime
        self._capture: cv2.VideoCapture | None = None
        self._closed = threading.Event()
        self._period = 1 / _USUAL_RATE
        self._due = 0.0

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
        """
        if not self.path.is_file():
            raise NotFound("file-missing", file=str(self.path))
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            capture.release()
            raise InvalidInput("video-unreadable", name=self.path.name)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._period = 1 / rate if 0 < rate <= _FASTEST_RATE else 1 / _USUAL_RATE
        self._due = time.monotonic()
        self._capture = capture
        self._closed.clear()
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame; None at the end, or when it is not due within ``timeout``.

        Raises:
            InvalidInput: ``video-unreadable`` when not even the first frame can be decoded.
        """
        if self._capture is None or self._state is not SourceState.OPEN:
            return None
        if self.realtime:
            wait = self._due - time.monotonic()
            if timeout is not None and wait > timeout:
                self._closed.wait(timeout)
                return None
            if wait > 0 and self._closed.wait(wait):
                return None
            self._due = max(self._due + self._period, time.monotonic() - self._period)
        done, stored = self._capture.read()
        if not done:
            if self._sequence == 0:
                raise InvalidInput("video-unreadable", name=self.path.name)
            self._state = SourceState.ENDED
            return None
        pixels = cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        return Frame(pixels, self.source_id, self._next_sequence(), path=self.path)

    def close(self) -> None:
        """Let go of the file."""
        self._closed.set()
        if self._capture is not None:
            self._capture.release()
            self._capture = None
        super().close()
