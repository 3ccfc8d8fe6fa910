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
_RESTING_SHARE = 0.95
"""Share of rows with one value from which on a feature is at rest."""
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


def known_means(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the known values of each feature ``(n, features)``; 0 without one."""
    known = ~np.isnan(rows)
    return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.float64)


def resting_scale(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least scale of features that hardly ever leave one value, as set points and idle valves; 0 of others.

    A value that occurs once in thousands of rows gives a standard deviation of a fraction of its step, so that the same
    step later would be tens of deviations and, through the network, an error of every other sensor. It is measured as
    constant features are: in hundredths of the usual value, or, where that is 0, in the largest value.

    Args:
        rows: float64 ``(n, features)``; NaN where missing; at least one value per feature.
    """
    usual = np.nanmedian(rows, axis=0)
    least = np.where(usual == 0, np.nanmax(np.abs(rows), axis=0), _OF_CONSTANT * np.abs(usual))
    return np.where(is_resting(rows), least, 0.0)


def is_resting(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which features ``(n, features)`` have one value in nearly all rows."""
    known = np.maximum((~np.isnan(rows)).sum(axis=0), 1)
    found: NDArray[np.bool_] = (rows == np.nanmedian(rows, axis=0)).sum(axis=0) >= _RESTING_SHARE * known
    return found


def fit_scaling(
    rows: NDArray[np.float64],
    kind: ScalingKind,
    weight: NDArray[np.float64] | float = 1.0,
    least: NDArray[np.float64] | float = 0.0,
) -> Scaling:
    """Fit a scaling to training rows.

    ``robust``: median and normalised interquartile range, which single outliers do not affect. ``standard``: mean and
    standard deviation. A constant feature is scaled by a hundredth of its value, or by 1 if that is 0; one that is
    nearly always constant by no less than ``resting_scale``.

    Args:
        rows: float64 ``(n, features)``; NaN where missing; at least one value per feature.
        kind: ``robust`` or ``standard``.
        weight: of each feature, above 0: a small weight shrinks it on the scaled axis.
        least: lower bound of the scale of each feature that is not constant, before weighting.
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
    scale = np.where(constant, hundredth, np.maximum(scale, np.maximum(resting_scale(rows), least))) / weight
    return Scaling(center, scale, (middle - center) / scale)
