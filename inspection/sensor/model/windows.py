"""Features of sliding windows: mean and log-spread of each sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.scaling import known_means

_SPREAD_FLOOR = np.array(0.3)
"""Added to the relative spread before the logarithm, so that a briefly constant sensor is not anomalous."""
_NOTHING = np.array(0.0)

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Computes the features of the window that ends with each row (causal).

    Attributes:
        length: rows of a window, at least 2.
        origin: float64 ``(sensors,)``, the training mean, subtracted first to avoid cancellation in the squares.
        spread: float64 ``(sensors,)``, the standard deviation of the training rows; above 0.
    """

    length: int
    origin: Vector
    spread: Vector

    def features(self, values: Matrix) -> Matrix:
        """Return the features of each row of a series; the first windows are shorter.

        Args:
            values: float64 ``(n, sensors)``, in the order of time; NaN where a value is missing.

        Returns:
            float64 ``(n, 2 * sensors)``: means, then log-spreads; NaN for a sensor without a value in its window.
        """
        known = ~np.isnan(values)
        shifted = np.where(known, values - self.origin, 0.0)
        count = self._sums(known.astype(np.float64))
        count[count == 0] = np.nan
        sensors = values.shape[1]
        out = np.empty((len(values), 2 * sensors))
        mean, square = self._sums(shifted) / count, self._sums(shifted * shifted) / count
        self.of_means(mean, square, out[:, :sensors], out[:, sensors:])
        return out

    def of_means(self, mean: Matrix, square: Matrix, means: Matrix, spreads: Matrix) -> None:
        """Compute the features from moments into given arrays, without temporaries, for the speed of single rows.

        Args:
            mean: mean of the values minus ``origin``, ``(..., sensors)``; NaN where undefined.
            square: mean of their squares, likewise.
            means: output array of the means.
            spreads: output array of the log-spreads.
        """
        np.multiply(mean, mean, means)
        np.subtract(square, means, spreads)
        np.maximum(spreads, _NOTHING, out=spreads)
        np.sqrt(spreads, spreads)
        np.divide(spreads, self.spread, spreads)
        np.add(spreads, _SPREAD_FLOOR, spreads)
        np.log(spreads, spreads)
        np.add(mean, self.origin, means)

    def _sums(self, rows: Matrix) -> Matrix:
        """Return the sum over each window, added row by row, as a running sum would accumulate rounding errors."""
        sums = rows.copy()
        for back in range(1, min(self.length, len(rows))):
            sums[back:] += rows[:-back]
        return sums


def stationarity(features: Matrix, segments: Sequence[slice], length: int) -> Vector:
    """Return the von Neumann ratio of each feature over successive windows, 0 to about 1.

    The mean squared difference of successive, disjoint windows divided by twice their variance (von Neumann 1941): 1
    for uncorrelated values, near 0 for a drift, where training rows do not predict later rows.

    Args:
        features: float64 ``(n, features)``; NaN where missing.
        segments: runs of successive rows; the minimum over them is returned.
        length: rows of a window.
    """
    ratios = np.ones(features.shape[1])
    for segment in segments:
        blocks = features[segment][::-1][::length]
        if len(blocks) < 4:  # noqa: PLR2004 - too few to detect a drift
            continue
        filled = np.where(np.isnan(blocks), known_means(blocks), blocks)
        variance = filled.var(axis=0)
        steps = np.square(np.diff(filled, axis=0)).mean(axis=0)
        ratios = np.minimum(ratios, np.where(variance > 0, steps / np.where(variance > 0, 2 * variance, 1.0), 1.0))
    return ratios


MAX_WINDOW = 1000
