"""USB cameras and RTSP streams, which may go away and come back."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from inspection.frames import Frame, Pixels
from inspection.opencv import cv2
from inspection.sources.base import SourceBase, SourceState
from models.errors import InvalidInput, Unavailable

OPEN_TIMEOUT = 5.0
READ_TIMEOUT = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
_RTSP_PORTS = {"rtsp": 554, "rtsps": 322}
_PROBE_TIMEOUT = 2.0


class CameraSource(SourceBase):
    """A camera: the number of a USB camera, or the address of an RTSP stream.

    When frames stop coming the source is ``lost``: it is let go and sought again, at first at once and then every half
    second at the latest, until it returns or is closed.

    Args:
        address: ``0`` for the first USB camera, or ``rtsp://…``.
        source_id: a name for it; without one, the address without its credentials.

    Raises:
        InvalidInput: ``camera-address`` when the address is no address at all.
    """

    def __init__(self, address: int | str, *, source_id: str | None = None) -> None:
        self._address = address
        self._shown = f"usb:{address}" if isinstance(address, int) else without_credentials(address)
        super().__init__(source_id or self._shown)
        self._capture: cv2.VideoCapture | None = None
        self._closed = threading.Event()
        self._pause = FIRST_PAUSE

    def describe(self) -> str:
        """Say which camera; without user and password."""
        return f"camera {self._shown}"

    def open(self) -> None:
        """Connect and wait for the first sign of life.

        Raises:
            InvalidInput: ``camera-address`` when the address is no RTSP address.
            Unavailable: ``camera-not-reachable`` when nothing answers there.
        """
        self._closed.clear()
        self._capture = self._connect()
        if self._capture is None:
            raise Unavailable("camera-not-reachable", camera=self._shown)
        self._pause = FIRST_PAUSE
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame, RGB; None when there is none within ``timeout`` because the camera is lost.

        A call can take up to ``READ_TIMEOUT`` or ``OPEN_TIMEOUT`` seconds longer than ``timeout``, because a stream
        that has fallen silent blocks that long; ``LiveSource`` keeps that away from its reader.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._closed.is_set():
            if self._capture is None and not self._reconnect(deadline):
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            frame = self._grab()
            if frame is not None:
                return frame
            self._lose()
            if deadline is not None and time.monotonic() >= deadline:
                return None
        return None

    def close(self) -> None:
        """Let go of the camera; a read that waits ends."""
        self._closed.set()
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
        super().close()

    def _grab(self) -> Frame | None:
        capture = self._capture
        if capture is None:
            return None
        done, stored = capture.read()
        if not done or stored is None or self._closed.is_set():
            return None
        self._state = SourceState.OPEN
        self._pause = FIRST_PAUSE
        return Frame(to_rgb(stored), self.source_id, self._next_sequence())

    def _lose(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
        if not self._closed.is_set():
            self._state = SourceState.LOST

    def _reconnect(self, deadline: float | None) -> bool:
        pause = self._pause if deadline is None else min(self._pause, max(0.0, deadline - time.monotonic()))
        if self._closed.wait(pause):
            return False
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        with contextlib.suppress(Unavailable):
            self._capture = self._connect()
        return self._capture is not None

    def _connect(self) -> cv2.VideoCapture | None:
        if isinstance(self._address, int):
            capture = cv2.VideoCapture(self._address, _local_backend())
        else:
            self._probe(self._address)
            capture = cv2.VideoCapture(
                self._address,
                cv2.CAP_FFMPEG,
                [
                    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                    int(OPEN_TIMEOUT * 1000),
                    cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                    int(READ_TIMEOUT * 1000),
                ],
            )
        if capture.isOpened():
            return capture
        capture.release()
        return None

    def _probe(self, address: str) -> None:
        """See whether anything listens, which FFmpeg would take much longer to say."""
        parts = urlsplit(address)
        try:
            port = parts.port or _RTSP_PORTS[parts.scheme]
        except (KeyError, ValueError) as error:
            raise InvalidInput("camera-address", camera=self._shown) from error
        if not parts.hostname:
            raise InvalidInput("camera-address", camera=self._shown)
        try:
            socket.create_connection((parts.hostname, port), timeout=_PROBE_TIMEOUT).close()
        except (OSError, UnicodeError) as error:
            raise Unavailable("camera-not-reachable", camera=self._shown) from error


def without_credentials(address: str) -> str:
    """Return an address without user, password and query, which may hold a token.

    Raises:
        InvalidInput: ``camera-address`` when it is no address at all; then nothing of it is shown.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InvalidInput("camera-address", camera=address.partition("://")[0] + "://…") from error
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def to_rgb(stored: NDArray[Any]) -> Pixels:
    """Return what OpenCV captured (blue first, or grey) as RGB or grey uint8."""
    if stored.ndim == 3 and stored.shape[2] == 3:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    grey = stored[:, :, 0] if stored.ndim == 3 else stored  # noqa: PLR2004
    return np.ascontiguousarray(grey, dtype=np.uint8)


def _local_backend() -> int:
    """Return OpenCV's back end for cameras at this computer; naming it avoids trying every other one."""
    return {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
