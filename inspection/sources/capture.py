"""OpenCV's video input: frames of a file, a stream or a USB camera, within the pixel limit of still images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.files import ImageLimits, require_pixel_count
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.errors import UnreadableImage


class Capture:
    """An open video input.

    Args:
        stream: of OpenCV, open.
        name: for messages; without credentials.
        limits: largest number of pixels of a frame.
    """

    def __init__(self, stream: cv2.VideoCapture, name: str, limits: ImageLimits) -> None:
        self._stream = stream
        self._name = name
        self._limits = limits

    @classmethod
    def opened(
        cls, target: int | str, backend: int, *, name: str, limits: ImageLimits, settings: Sequence[int] = ()
    ) -> Self | None:
        """Return the input for a camera's index, a file or an address; None when OpenCV cannot open it.

        Args:
            target: index, path or address.
            backend: one of ``cv2.CAP_…``.
            name: of ``Capture``.
            limits: of ``Capture``.
            settings: ``cv2.CAP_PROP_…`` and values in turn.

        Raises:
            UnreadableImage: ``image-too-many-pixels`` when the declared frame size is too large; nothing was decoded.
        """
        stream = cv2.VideoCapture(target, backend, list(settings))
        if not stream.isOpened():
            stream.release()
            return None
        width, height = (int(stream.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        try:
            require_pixel_count(width, height, name=name, limits=limits)
        except UnreadableImage:
            stream.release()
            raise
        return cls(stream, name, limits)

    @property
    def rate(self) -> float:
        """Frames per second; 0 when unknown."""
        return float(self._stream.get(cv2.CAP_PROP_FPS))

    @property
    def frame_count(self) -> int:
        """Number of frames as the file's header has it; 0 when unknown."""
        return max(0, int(self._stream.get(cv2.CAP_PROP_FRAME_COUNT)))

    @property
    def time(self) -> float:
        """Seconds of the frame read last, from the beginning of the video."""
        return float(self._stream.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    @property
    def timestamp(self) -> float:
        """Presentation timestamp of the frame, or of the packet, read last, in periods of the frame rate."""
        return float(self._stream.get(cv2.CAP_PROP_PTS))

    def grab(self) -> bool:
        """Take the next frame, or packet, without decoding it into pixels; return whether there was one."""
        return bool(self._stream.grab())

    def read(self) -> Pixels | None:
        """Return the next frame, RGB ``(H, W, 3)`` or grey ``(H, W)``, uint8; None at the end and for a damaged frame.

        Raises:
            UnreadableImage: ``image-too-many-pixels`` when it is larger than declared at the opening.
        """
        done, stored = self._stream.read()
        if not done or stored is None:
            return None
        require_pixel_count(stored.shape[1], stored.shape[0], name=self._name, limits=self._limits)
        return to_rgb(stored)

    def seek(self, frame: int) -> bool:
        """Seek to a frame by its number, through the file's index where it has one; return whether it was reached."""
        if frame == 0:
            return True
        self._stream.set(cv2.CAP_PROP_POS_FRAMES, frame)
        if round(self._stream.get(cv2.CAP_PROP_POS_FRAMES)) == frame:
            return True
        self._stream.set(cv2.CAP_PROP_POS_FRAMES, 0)
        return all(self._stream.grab() for _ in range(frame))

    def release(self) -> None:
        """Release the input; may be called twice."""
        self._stream.release()


def to_rgb(stored: NDArray[Any]) -> Pixels:
    """Return a captured image, BGR ``(H, W, 3)`` or grey, as RGB ``(H, W, 3)`` or grey ``(H, W)``, uint8."""
    if stored.ndim == 3 and stored.shape[2] == 3:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    grey = stored[:, :, 0] if stored.ndim == 3 else stored  # noqa: PLR2004
    return np.ascontiguousarray(grey, dtype=np.uint8)
