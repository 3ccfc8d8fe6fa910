"""Quality bounds learnt from frames of known good quality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inspection.image_quality.bounds import QualityBounds
from inspection.image_quality.measures import ImageQuality
from models.errors import InvalidInput

ENOUGH = 20
_AT_LEAST = 3
_SPREADS = 6.0
_TO_DEVIATION = 1.4826
# Smallest margin beyond the measured values, so that nearly identical frames do not give bounds that refuse the next.
_ROOM = {"blur_px": 0.6, "smear": 0.3, "mean": 8.0, "contrast": 2.0, "dark_share": 0.02, "bright_share": 0.02}
_ROOM["moving_share"] = 0.05


@dataclass(frozen=True, slots=True)
class LearnedBounds:
    """Learnt bounds.

    Attributes:
        bounds: the bounds.
        frames: number of frames they were learnt from.
        enough: whether that is at least ``ENOUGH``.
    """

    bounds: QualityBounds
    frames: int
    enough: bool


def learn_bounds(seen: Iterable[ImageQuality]) -> LearnedBounds:
    """Return bounds that every measured frame keeps with a margin.

    Each bound is the farthest from the median of three: six robust standard deviations (1.4826 times the median
    absolute deviation), half the farthest frame's distance beyond that frame, and a smallest margin beyond that frame.
    Frames that differ clearly from every good one are refused, others rarely.

    Raises:
        InvalidInput: ``quality-too-few-frames`` for fewer than 3.
    """
    qualities = list(seen)
    if len(qualities) < _AT_LEAST:
        raise InvalidInput("quality-too-few-frames", count=len(qualities), needed=_AT_LEAST)

    def known(figure: str) -> list[float]:
        return [value for value in (getattr(quality, figure) for quality in qualities) if value is not None]

    moving = known("moving_share")
    bounds = QualityBounds(
        max_blur_px=min(100.0, _bound(known("blur_px"), "blur_px", 1)),
        max_smear=min(100.0, _bound(known("smear"), "smear", 1)),
        min_mean=max(0.0, _bound(known("mean"), "mean", -1)),
        max_mean=min(255.0, _bound(known("mean"), "mean", 1)),
        min_contrast=max(0.0, _bound(known("contrast"), "contrast", -1)),
        max_dark_share=min(1.0, _bound(known("dark_share"), "dark_share", 1)),
        max_bright_share=min(1.0, _bound(known("bright_share"), "bright_share", 1)),
        max_moving_share=min(1.0, _bound(moving, "moving_share", 1)) if len(moving) >= _AT_LEAST else None,
    )
    return LearnedBounds(bounds, len(qualities), len(qualities) >= ENOUGH)


def _bound(values: Sequence[float], figure: str, side: int) -> float:
    """Return the bound above (``side`` 1) or below (-1) the values, rounded outwards to four decimals."""
    directed = side * np.asarray(values, np.float64)
    middle = float(np.median(directed))
    spread = _TO_DEVIATION * float(np.median(np.abs(directed - middle)))
    farthest = float(directed.max())
    bound = max(middle + _SPREADS * spread, farthest + (farthest - middle) / 2, farthest + _ROOM[figure])
    return side * float(np.ceil(bound * 1e4) / 1e4)
