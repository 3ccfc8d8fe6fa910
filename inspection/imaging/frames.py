"""A frame: one image of a source, with its origin and time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.clock import utc_now

if TYPE_CHECKING:
    from inspection.imaging.value_range import ValueRange

Pixels = NDArray[np.uint8]
"""RGB ``(H, W, 3)`` or grey ``(H, W)``, uint8."""

_COLOUR_DIMENSIONS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a source.

    Attributes:
        pixels: uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``.
        source_id: id of the source.
        sequence: number within the source, from 0; a gap means dropped or unreadable frames.
        monotonic: ``time.monotonic()`` at capture, seconds; for durations.
        captured_at: wall time at capture, aware, UTC.
        path: its file, if any.
        label: name of the first sub-folder that the file lies in, if any.
        values: the range of values that was mapped to 8 bits; None for an image of 8 bits.
        transparent: whether the file has transparent parts; they are seen on white.
    """

    pixels: Pixels
    source_id: str
    sequence: int
    monotonic: float = field(default_factory=time.monotonic)
    captured_at: datetime = field(default_factory=utc_now)
    path: Path | None = None
    label: str | None = None
    values: ValueRange | None = None
    transparent: bool = False

    def __post_init__(self) -> None:
        require_pixels(self.pixels)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def rgb(self) -> Pixels:
        """Return the pixels as RGB ``(H, W, 3)``, uint8."""
        return as_rgb(self.pixels)


def require_pixels(pixels: Pixels) -> None:
    """Check shape and type of an image.

    Raises:
        ValueError: when it is not uint8 RGB ``(H, W, 3)`` or grey ``(H, W)`` with at least one pixel.
    """
    grey = pixels.ndim == _COLOUR_DIMENSIONS - 1
    colour = pixels.ndim == _COLOUR_DIMENSIONS and pixels.shape[2] == _COLOUR_DIMENSIONS
    if pixels.dtype != np.uint8 or not (grey or colour) or pixels.size == 0:
        raise ValueError(f"an image is uint8 RGB (H, W, 3) or grey (H, W), not {pixels.dtype} {pixels.shape}")


def as_rgb(pixels: Pixels) -> Pixels:
    """Return ``pixels`` as contiguous RGB ``(H, W, 3)``; no copy when they already are."""
    if pixels.ndim == _COLOUR_DIMENSIONS:
        return np.ascontiguousarray(pixels)
    return np.repeat(pixels[:, :, None], 3, axis=2)
