"""USB cameras and RTSP streams, which may go away and come back."""

from __future__ import annotations

import re
import socket
import sys
from urllib.parse import urlsplit

from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources.capture import Capture
from inspection.sources.returning import ReturningSource, SourceGoneError
from models.errors import InvalidInput, Unavailable

OPEN_TIMEOUT = 5.0
READ_TIMEOUT = 3.0
_RTSP_PORTS = {"rtsp": 554, "rtsps": 322}
_PROBE_TIMEOUT = 2.0
_SECRET = re.compile(r"(?:user|usr|login|pas|pw|auth|token|secret|key)[a-z]*(?:=|%3d)", re.IGNORECASE)
"""The name of a credential that some cameras take in the path: ``/user=admin_password=…_channel=1_stream=0.sdp``."""
_PICTURE = re.compile(r"[_&;,/](?:channel|stream|subtype)=[0-9]{1,4}(?:\.sdp)?(?![^_&;,/])", re.IGNORECASE)
"""What tells the pictures of one camera apart in such a path."""


class CameraSource(ReturningSource):
    """A camera: the number of a USB camera, or the address of an RTSP stream.

    A frame bears the time it was received and decoded at. OpenCV keeps some frames back, so these times are right only
    while the camera is read as fast as it sends, which ``LiveSource`` does.

    Args:
        address: ``0`` for the first USB camera, or ``rtsp://…``.
        source_id: a name for it; without one, the address without its credentials.
        limits: for each frame.

    Raises:
        InvalidInput: ``camera-address`` when the address is no address at all.
    """

    def __init__(
        self, address: int | str, *, source_id: str | None = None, limits: ImageLimits = DEFAULT_LIMITS
    ) -> None:
        self._address = address
        self._limits = limits
        self._shown = f"usb:{address}" if isinstance(address, int) else without_credentials(address)
        super().__init__(source_id or self._shown)
        self._capture: Capture | None = None

    def describe(self) -> str:
        """Say which camera; without user and password."""
        return f"camera {self._shown}"

    def _grab(self, wait: float) -> Frame | None:  # noqa: ARG002 - OpenCV waits as long as it was told when opening
        capture = self._capture
        if capture is None:
            raise SourceGoneError
        pixels = capture.read()
        if pixels is None:
            raise SourceGoneError
        return Frame(pixels, self.source_id, self._next_sequence())

    def _release(self, *, lost: bool) -> None:  # noqa: ARG002 - the same either way
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _connect(self) -> None:
        self._capture = self._opened()
        if self._capture is None:
            raise Unavailable("camera-not-reachable", camera=self._shown)

    def _opened(self) -> Capture | None:
        if isinstance(self._address, int):
            return Capture.opened(self._address, _local_backend(), name=self._shown, limits=self._limits)
        self._probe(self._address)
        patience = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            int(OPEN_TIMEOUT * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            int(READ_TIMEOUT * 1000),
        ]
        return Capture.opened(self._address, cv2.CAP_FFMPEG, name=self._shown, limits=self._limits, settings=patience)

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
    """Return an address without user and password, in front of the host or in the path, and without its query.

    Of a path that names a credential nothing behind the name is shown but the numbers of channel and stream.

    Raises:
        InvalidInput: ``camera-address`` when it is no address at all; then nothing of it is shown.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InvalidInput("camera-address", camera=address.partition("://")[0] + "://…") from error
    try:
        _ = parts.port
    except ValueError:
        # No number behind the colon: a password that holds a "/" or "#", which ends the part with the host.
        return f"{parts.scheme}://…"
    if "@" in parts.path + parts.query + parts.fragment:
        # The same with digits before it: what looks like the host may be the user.
        return f"{parts.scheme}://…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{_path_without_credentials(parts.path)}"


def _path_without_credentials(path: str) -> str:
    named = _SECRET.search(path)
    if named is None:
        return path
    # A password may hold any character, so where it ends is not known.
    return f"{path[: named.end()]}…{''.join(_PICTURE.findall(path, named.end()))}"


def _local_backend() -> int:
    """Return OpenCV's back end for cameras at this computer; naming it avoids trying every other one."""
    return {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
