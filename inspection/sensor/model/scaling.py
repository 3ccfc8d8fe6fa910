"""Scaling: what each feature is measured in, so that none outweighs the others by its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScalingKind = Literal["robust", "standard"]

_NORMAL_IQR = 1.3489795003921634
"""Interquartile range of the normal distribution in standard deviations."""
_OF_CONSTANT = 0.01
"""A value that never changed is measured in hundredths of itself."""
_MIN_SHARE = 0.05
"""The interquartile range of a sensor that mostly stands still says little: at least this share of its deviation."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """``scaled = (value - center) / scale``; a missing value takes ``fill`` in its place.

    Attributes:
        center: float64 ``(features,)``.
        scale: float64 ``(features,)``, above 0.
        fill: float64 ``(features,)``, the training median on the scaled axis.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    fill: NDArray[np.float64]

    def apply(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the scaled rows, gaps filled, and where values were known.

        Args:
            rows: float64 ``(..., features)``; NaN where missing.
        """
        scaled = (rows - self.center) / self.scale
        known = ~np.isnan(scaled)
        return np.where(known, scaled, self.fill), known


def fit_scaling(rows: NDArray[np.float64], kind: ScalingKind, weight: NDArray[np.float64] | float = 1.0) -> Scaling:
    """Fit a scaling to training rows.

    ``robust``: median and interquartile range (as a standard deviation), which single wrong rows do not move.
    ``standard``: mean and standard deviation. A feature that never changes is measured in hundredths of its value,
    or as it is where that is 0.

    Args:
        rows: float64 ``(n, features)``; NaN where missing; each feature has a value at least once.
        kind: which.
        weight: what each feature counts, above 0: a small one makes it small on the scaled axis.
    """
    middle = np.nanmedian(rows, axis=0)
    deviation = np.nanstd(rows, axis=0)
    if kind == "robust":
        low, high = np.nanpercentile(rows, [25, 75], axis=0)
        center, scale = middle, np.maximum((high - low) / _NORMAL_IQR, _MIN_SHARE * deviation)
    else:
        center, scale = np.nanmean(rows, axis=0), deviation
    # Rounding leaves a constant column a deviation of about 1e-16 of its value.
    constant = scale <= 1e-12 * np.abs(center)
    hundredth = np.where(center == 0, 1.0, _OF_CONSTANT * np.abs(center))
    scale = np.where(constant, hundredth, scale) / weight
    return Scaling(center, scale, (middle - center) / scale)
