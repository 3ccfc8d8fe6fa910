"""Scaling of features to comparable units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScalingKind = Literal["robust", "standard"]

_NORMAL_IQR = 1.3489795003921634
"""Interquartile range of the normal distribution in standard deviations."""
_OF_CONSTANT = 0.01
"""Scale of a constant feature, as a fraction of its value."""
_MIN_SHARE = 0.05
"""Lower bound of a robust scale, as a fraction of the standard deviation, for sensors that are mostly constant."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """``scaled = (value - center) / scale``; missing values are imputed by ``fill``.

    Attributes:
        center: float64 ``(features,)``.
        scale: float64 ``(features,)``, above 0.
        fill: float64 ``(features,)``, the training median on the scaled axis.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    fill: NDArray[np.float64]

    def apply(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the scaled rows with imputed values, and the mask of known values.

        Args:
            rows: float64 ``(..., features)``; NaN where missing.
        """
        scaled = (rows - self.center) / self.scale
        known = ~np.isnan(scaled)
        return np.where(known, scaled, self.fill), known


def fit_scaling(rows: NDArray[np.float64], kind: ScalingKind, weight: NDArray[np.float64] | float = 1.0) -> Scaling:
    """Fit a scaling to training rows.

    ``robust``: median and normalised interquartile range, which single outliers do not affect. ``standard``: mean and
    standard deviation. A constant feature is scaled by a hundredth of its value, or by 1 if that is 0.

    Args:
        rows: float64 ``(n, features)``; NaN where missing; at least one value per feature.
        kind: ``robust`` or ``standard``.
        weight: of each feature, above 0: a small weight shrinks it on the scaled axis.
    """
    middle = np.nanmedian(rows, axis=0)
    deviation = np.nanstd(rows, axis=0)
    if kind == "robust":
        low, high = np.nanpercentile(rows, [25, 75], axis=0)
        center, scale = middle, np.maximum((high - low) / _NORMAL_IQR, _MIN_SHARE * deviation)
    else:
        center, scale = np.nanmean(rows, axis=0), deviation
    # Rounding gives a constant column a deviation of about 1e-16 of its value.
    constant = scale <= 1e-12 * np.abs(center)
    hundredth = np.where(center == 0, 1.0, _OF_CONSTANT * np.abs(center))
    scale = np.where(constant, hundredth, scale) / weight
    return Scaling(center, scale, (middle - center) / scale)
