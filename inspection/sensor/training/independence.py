"""How much autocorrelated training rows are worth, and how limits grow where they are few."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.training.periods import autocorrelation

_ONE_SIDED = 0.99
_FEWEST = 4.0
_WINDOW = 5.0
"""Lags up to so many autocorrelation times are added up (Sokal 1997)."""
_MOST_ROWS = 10_000

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def independent_rows(columns: Matrix) -> Vector:
    """Return how many independent rows each column is worth: rows over the integrated autocorrelation time.

    Args:
        columns: float64 ``(rows, columns)``, in the order of time, without missing values.
    """
    step = -(-len(columns) // _MOST_ROWS)
    taken = columns[::step]
    rows = len(taken)
    out = np.full(columns.shape[1], float(rows))
    for place, column in enumerate(taken.T):
        curve = autocorrelation(column, rows // 2)
        if curve[0] > 0:
            times = 2 * np.cumsum(curve) - 1
            enough = np.flatnonzero(np.arange(len(times)) >= _WINDOW * times)
            time = float(times[enough[0]]) if len(enough) else float(times.max())
            out[place] = rows / max(time, 1.0)
    return out


def few_rows_factor(count: Vector) -> Vector:
    """Return how much further a later value may lie than that of a known distribution, float64 as ``count``.

    The ratio of the prediction limits at 99 %: Student's t of ``n`` independent rows with their mean unknown, and the
    normal distribution. The quantile of t is that of Cornish and Fisher (Abramowitz and Stegun 26.7.5).

    Args:
        count: independent rows; fewer than 4 count as 4, the least for which the expansion is accurate.
    """
    rows = np.maximum(count, _FEWEST)
    freedom, z = rows - 1, NormalDist().inv_cdf(_ONE_SIDED)
    quantile = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    return np.asarray(quantile * np.sqrt(1 + 1 / rows) / z, np.float64)
