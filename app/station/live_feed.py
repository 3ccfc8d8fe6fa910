"""Reads the image source on a thread of its own and keeps the newest frame for the screen; knows no Qt.

A camera runs freely: a frame that was not shown in time is replaced by a newer one. A folder or a video file is paced:
one frame lies under the camera until somebody asks for the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from models.errors import Unavailable, UnreadableImage, UserFacingError

if TYPE_CHECKING:
    from inspection.imaging.frames import Frame
    from inspection.sources import ImageSource

READ_TIMEOUT_S = 0.2
RETRY_S = 2.0
JOIN_S = 10.0


@dataclass(eq=False, repr=False, kw_only=True)
class LiveFeed:
    """The newest frame of one image source.

    Attributes:
        make: returns the source, not opened; called again after trouble where the source may come back: it does not
            answer, or it gave frames before. A wrong address or setting is reported once and ends the feed.
        post: calls a callback on the UI thread.
        on_frame: called there with the newest frame; frames in between are dropped.
        on_trouble: called there with what is wrong with the source, and with None when it is well again.
        on_bad_image: called there with what is wrong with one image of a folder, or how many frames of a video could
            not be decoded so far; the next one follows by itself.
        on_end: called there when the source has no more frames.
        after: the feed before this one, stopped already; its source is closed before this one's is opened.
    """

    make: Callable[[], ImageSource] = field(kw_only=False)
    post: Callable[[Callable[[], object]], None]
    on_frame: Callable[[Frame], object]
    on_trouble: Callable[[UserFacingError | None], object]
    on_bad_image: Callable[[UserFacingError], object]
    on_end: Callable[[], object]
    after: LiveFeed | None = None
    _paced: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _newest: Frame | None = field(default=None, init=False)
    _announced: bool = field(default=False, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _wanted: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._wanted.set()
        self._thread = threading.Thread(target=self._work, name="station-feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def advance(self) -> bool:
        """Ask a paced source for its next frame; return whether it is one, so that the frame shown is used up."""
        self._wanted.set()
        return self._paced

    def stop(self) -> None:
        """Stop reading; returns at once, nothing is called back any more."""
        self._stopping.set()
        self._wanted.set()

    def join(self, timeout_s: float) -> bool:
        """Wait until the source is closed; return whether it is."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        if self.after is not None:
            self.after.join(JOIN_S)
            self.after = None
        while not self._stopping.is_set():
            try:
                with self.make() as source:
                    self._call(lambda: self.on_trouble(None))
                    self._read(source)
                    if source.ended:
                        self._call(self.on_end)
                        return
            except UserFacingError as error:
                self._call(partial(self.on_trouble, error))
                if not isinstance(error, Unavailable) and self._newest is None:
                    return
                # What was shown is gone with the source: its next frame is asked for, also where it is paced.
                self._wanted.set()
                self._stopping.wait(RETRY_S)

    def _read(self, source: ImageSource) -> None:
        from inspection.sources import SourceState

        self._paced = not source.live
        lost, undecoded = False, 0
        while not self._stopping.is_set() and not source.ended:
            if self._paced and not self._wanted.wait(READ_TIMEOUT_S):
                continue
            try:
                frame = source.read(READ_TIMEOUT_S)
                missed = source.missed
                if missed is not None and missed.undecoded > undecoded:
                    undecoded = missed.undecoded
                    found = UnreadableImage("frames-undecoded", source=source.describe(), count=undecoded)
                    self._call(partial(self.on_bad_image, found))
            except UnreadableImage as error:
                # One bad file of a folder: report it, and go on with the one after it.
                self._call(partial(self.on_bad_image, error))
                continue
            if frame is not None:
                if lost:
                    lost = False
                    self._call(lambda: self.on_trouble(None))
                self._wanted.clear()
                self._keep(frame)
            elif source.state == SourceState.LOST and not lost:
                lost = True
                lost_camera = Unavailable("window-camera-lost", source=source.describe())
                self._call(partial(self.on_trouble, lost_camera))

    def _keep(self, frame: Frame) -> None:
        with self._lock:
            self._newest = frame
            if self._announced:
                return
            self._announced = True
        self.post(self._show)

    def _show(self) -> None:
        with self._lock:
            frame, self._announced = self._newest, False
        if frame is not None and not self._stopping.is_set():
            self.on_frame(frame)

    def _call(self, callback: Callable[[], object]) -> None:
        self.post(lambda: None if self._stopping.is_set() else callback())
