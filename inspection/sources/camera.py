"""USB cameras and RTSP streams, which reconnect."""

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
"""The name of a credential that some cameras expect in the path: ``/user=admin_password=…_channel=1_stream=0.sdp``."""
_PICTURE = re.compile(r"[_&;,/](?:channel|stream|subtype)=[0-9]{1,4}(?:\.sdp)?(?![^_&;,/])", re.IGNORECASE)
"""Channel and stream in such a path, which identify one image of several."""


class CameraSource(ReturningSource):
    """A camera: the number of a USB camera, or the address of an RTSP stream.

    The time of a frame is that of its decoding. OpenCV buffers some frames, so the times are accurate only while the
    camera is read as fast as it sends, as ``LiveSource`` does.

    Args:
        address: ``0`` for the first USB camera, or ``rtsp://…``.
        source_id: of the source; None takes the address without its credentials.
        limits: for each frame.

    Raises:
        InvalidInput: ``camera-address`` when the address is malformed.
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
        """Return which camera it is, without user and password."""
        return f"camera {self._shown}"

    def _grab(self, wait: float) -> Frame | None:  # noqa: ARG002 - OpenCV waits for the timeout set when opening
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
        """Check that a server listens, which FFmpeg takes much longer to find out."""
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

    A path that names a credential is cut after the name; only the numbers of channel and stream are kept.

    Raises:
        InvalidInput: ``camera-address`` when the address is malformed; the message contains none of it.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InvalidInput("camera-address", camera=address.partition("://")[0] + "://…") from error
    try:
        _ = parts.port
    except ValueError:
        # No number after the colon: a password with a "/" or "#", which ends the network location.
        return f"{parts.scheme}://…"
    if "@" in parts.path + parts.query + parts.fragment:
        # The same with digits before it: the apparent host may be the user.
        return f"{parts.scheme}://…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{_path_without_credentials(parts.path)}"


def _path_without_credentials(path: str) -> str:
    named = _SECRET.search(path)
    if named is None:
        return path
    # A password may contain any character, so its end is unknown.
    return f"{path[: named.end()]}…{''.join(_PICTURE.findall(path, named.end()))}"


def _local_backend() -> int:
    """Return OpenCV's back end for local cameras; naming it avoids probing every other one."""
    return {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
