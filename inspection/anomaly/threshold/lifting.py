"""Good images whose held-out scores lie far above the others and lift the threshold for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_SCORES = 10
"""Quartiles of fewer say little."""
_FAR_OUT = 3.0


def lifting_level(scores: Sequence[float], threshold: float) -> float | None:
    """Return the score above which good images lift a threshold; None where none does.

    It lies three interquartile ranges above the upper quartile ("far out", Tukey 1977). A threshold for a false-alarm
    rate of a few per cent that lies beyond it rests on the images there alone, not on what good images vary by.

    Args:
        scores: held-out scores of good images.
        threshold: chosen from them.
    """
    if len(scores) < LEAST_SCORES:
        return None
    lower, upper = (float(value) for value in np.percentile(scores, (25, 75)))
    level = upper + _FAR_OUT * (upper - lower)
    return level if threshold > level and max(scores) > level else None
