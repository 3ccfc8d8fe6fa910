"""Share of the image that changed since the previous frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2

_LONGEST_STEP = 1.0
_SIDE = 256
_STEP = 12.0
_FILES = ("folder:", "watch:")


def shows_motion(source_id: str) -> bool:
    """Return whether a change between consecutive frames of a source is movement.

    True for a camera or a video; image files show one part each.
    """
    return not source_id.startswith(_FILES)


@dataclass(frozen=True, slots=True, eq=False)
class MotionReference:
    """A reduced frame that the next one is compared with.

    Attributes:
        source_id: of the frame.
        shape: of its pixels.
        monotonic: seconds, of the frame.
        small: float32 ``(h, w)``, the frame in grey, longer side at most 256 pixels, minus its mean: a flickering lamp
            is no motion.
    """

    source_id: str
    shape: tuple[int, ...]
    monotonic: float
    small: NDArray[np.float32]


def motion_reference(frame: Frame, grey: Pixels | None = None) -> MotionReference:
    """Return the motion reference of a frame.

    Args:
        frame: the frame.
        grey: its pixels in grey ``(H, W)``, uint8; None computes them.
    """
    small = _small(as_grey(frame.pixels) if grey is None else grey).astype(np.float32)
    zero_mean = np.asarray(small - small.mean(), np.float32)
    return MotionReference(frame.source_id, frame.pixels.shape, frame.monotonic, zero_mean)


def _small(grey: Pixels) -> Pixels:
    """Return an image with a longer side of at most 256 pixels; repeated halving first is far faster in OpenCV."""
    height, width = grey.shape
    scale = min(1.0, _SIDE / max(width, height))
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    while width >= 2 * wanted[0] and height >= 2 * wanted[1]:
        width, height = width // 2, height // 2
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(grey, wanted, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def moving_share(now: MotionReference, before: MotionReference | None) -> float | None:
    """Return the share of the image that changed by more than 12 grey levels since ``before``, 0 to 1.

    Returns:
        None where a change is no evidence of movement: without a frame of the same source and size at most a second
        before.
    """
    if before is None or before.source_id != now.source_id or before.shape != now.shape:
        return None
    if not 0 <= now.monotonic - before.monotonic <= _LONGEST_STEP:
        return None
    return float((np.abs(now.small - before.small) > _STEP).mean())
