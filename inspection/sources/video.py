"""Frames of a video file."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.opencv import cv2
from inspection.sources.base import MissedFrames, SourceBase, SourceState
from inspection.sources.capture import Capture
from inspection.sources.video_damage import AviIndex, beginning_damaged, structure_damaged
from models.errors import InvalidInput, NotFound

_USUAL_RATE = 25.0
_FASTEST_RATE = 240.0
# How many damaged frames in a row are skipped, at most and where the header does not say how many frames there are.
_MOST_DAMAGED_IN_A_ROW, _DAMAGED_IN_A_ROW = 4_000, 64
_MISSING_IN_ORDER = {".avi": 0, ".mkv": 1, ".webm": 1, ".mp4": 4, ".m4v": 4, ".mov": 4}
"""How many frames fewer than by the header an intact file may have, where the header tells their number at all: that of
MKV follows from the duration, and edit lists of MP4 hide frames that others are decoded from. Within it the packets of
the file are counted against the frames."""
_EDITED = {".mp4", ".m4v", ".mov"}
_JUMP = 1.5
_CHECK_EVERY = 0.25
_TRY_EVERY = 0.1


class VideoSource(SourceBase):
    """The frames of a video file in order, RGB or grey.

    A damaged place does not end it: reading continues with the next frame that can be decoded, and what could not be is
    counted in ``missed``, also what is missing at the end of a file that was cut off. The numbers of the frames leave a
    gap: where timestamps jump and the structure of the file is damaged, or its index lists a frame that is not there.

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
        self._declared = self._undecoded = 0
        self._file: tuple[int, int] | None = None
        self._checked = 0.0
        self._index: AviIndex | None = None
        self._damaged: bool | None = None
        self._first: float | None = None
        self._time: float | None = None

    @property
    def live(self) -> bool:
        """Whether frames arrive at the frame rate of the video."""
        return self.realtime

    @property
    def missed(self) -> MissedFrames:
        """How many frames could not be decoded; those missing at the end are counted once it was reached."""
        return MissedFrames(undecoded=self._undecoded)

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
        self._declared, self._undecoded = self._frames_declared(capture), 0
        self._index = self._damaged = self._first = self._time = None
        self._closed.clear()
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame; None at the end, or when there is none within ``timeout``.

        Raises:
            InvalidInput: ``video-unreadable`` when not a single frame can be decoded.
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
        try:
            return self._next_decoded(now)
        except OSError:
            # The drive went between two reads; any other trouble of reading shows when the file is opened again.
            self._lose()
            return None

    def _next_decoded(self, now: float) -> Frame | None:
        pixels, damaged = (None if self._capture is None else self._capture.read()), 0
        if pixels is None:
            if self._file_state() is None:
                self._lose()
                return None
            pixels, damaged = self._behind_damage()
        if pixels is None:
            if self._frames_read == 0:
                raise InvalidInput("video-unreadable", name=self.path.name)
            self._count_the_end()
            self._state = SourceState.ENDED
            return None
        lost = max(damaged, self._lost_before())
        self._undecoded += lost
        for _ in range(lost):
            self._next_sequence()
        self._due = max(self._due + self._period, now - self._period)
        self._frames_read += 1
        return Frame(pixels, self.source_id, self._next_sequence(), path=self.path)

    def _behind_damage(self) -> tuple[Pixels | None, int]:
        """Return the next frame that can be decoded, None at the end, and how many before it could not be."""
        remaining = self._declared - self._frames_read - self._undecoded
        attempts = min(remaining, _MOST_DAMAGED_IN_A_ROW) if self._declared else _DAMAGED_IN_A_ROW
        for damaged in range(1, attempts + 1):
            if self._closed.is_set() or self._capture is None:
                return None, 0
            pixels = self._capture.read()
            if pixels is not None:
                return pixels, damaged
        return None, 0

    def _lost_before(self) -> int:
        """Return how many frames are missing before the one just read, by the timestamps or the index of the file."""
        if self._capture is None:
            return 0
        if self._index is None:
            self._index = AviIndex(self.path)
        before, self._time = self._time, self._capture.time
        if self._first is None:
            self._first = self._capture.timestamp
            if self._first >= 1 and self._frames_read == 0 and beginning_damaged(self.path):
                return round(self._first)
        periods = 0.0 if before is None else (self._time - before) / self._period
        if periods >= _JUMP and self._structure_damaged():
            return round(periods) - 1
        return self._index.lacking_from(self._frames_read + self._undecoded)

    def _structure_damaged(self) -> bool:
        if self._damaged is None:
            self._damaged = structure_damaged(self.path)
        return self._damaged

    def _count_the_end(self) -> None:
        """Count the frames that the header tells of, or that are in the file, and that did not come."""
        missing = self._declared - self._frames_read - (0 if self._index is None else self._index.empty)
        if not self._declared:
            # How many there were is not known, only that not all came.
            if not self._undecoded and self._structure_damaged():
                self._undecoded = 1
        elif missing > self._undecoded:
            if missing <= _MISSING_IN_ORDER.get(self.path.suffix.lower(), 0) and not self._structure_damaged():
                missing = self._packets() - self._frames_read
            self._undecoded = max(missing, self._undecoded)

    def _packets(self) -> int:
        """Return how many packets of the video belong to frames that are shown, as far as that is known.

        An edit list hides those before the first frame, and may hide those after the last.
        """
        packets = Capture.opened(
            str(self.path), cv2.CAP_FFMPEG, name=self.path.name, limits=self._limits, settings=(cv2.CAP_PROP_FORMAT, -1)
        )
        if packets is None or self._capture is None or self._first is None:
            return 0
        last = self._capture.timestamp if self.path.suffix.lower() in _EDITED else float("inf")
        count = 0
        while not self._closed.is_set() and packets.grab():
            count += self._first <= packets.timestamp <= last
        packets.release()
        return count

    def _frames_declared(self, capture: Capture) -> int:
        """Return how many frames the file has by its header; 0 when that is not known."""
        known = self.path.suffix.lower() in _MISSING_IN_ORDER and 0 < capture.rate <= _FASTEST_RATE
        return capture.frame_count if known else 0

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
        self._index = self._damaged = self._first = self._time = None
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
