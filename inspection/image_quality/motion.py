"""How much of a picture has changed since the frame before."""

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
    """Say whether what changes from one frame of a source to the next is movement.

    So it is in a camera or a video; image files show one part each.
    """
    return not source_id.startswith(_FILES)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What movement is seen by of a frame.

    Attributes:
        source_id: of the frame.
        shape: of its pixels.
        monotonic: seconds, of the frame.
        small: float32, the frame in grey, 256 pixels long at most, less its mean: a lamp that flickers is no motion.
    """

    source_id: str
    shape: tuple[int, ...]
    monotonic: float
    small: NDArray[np.float32]


def glance_at(frame: Frame, grey: Pixels | None = None) -> Glance:
    """Return what is kept of a frame to compare the next one with.

    Args:
        frame: to look at.
        grey: its pixels in grey ``(H, W)``, where they are at hand.
    """
    small = _small(as_grey(frame.pixels) if grey is None else grey).astype(np.float32)
    return Glance(frame.source_id, frame.pixels.shape, frame.monotonic, np.asarray(small - small.mean(), np.float32))


def _small(grey: Pixels) -> Pixels:
    """Return a picture 256 pixels long at most; halved first as often as that goes, which OpenCV does far faster."""
    height, width = grey.shape
    scale = min(1.0, _SIDE / max(width, height))
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    while width >= 2 * wanted[0] and height >= 2 * wanted[1]:
        width, height = width // 2, height // 2
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(grey, wanted, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def moving_share(now: Glance, before: Glance | None) -> float | None:
    """Return the part of the picture that changed by more than 12 grey levels since ``before``, 0 to 1.

    None where that says nothing of movement: without a frame of the same source and size at most a second before.
    """
    if before is None or before.source_id != now.source_id or before.shape != now.shape:
        return None
    if not 0 <= now.monotonic - before.monotonic <= _LONGEST_STEP:
        return None
    return float((np.abs(now.small - before.small) > _STEP).mean())
