"""Exponentially weighted mean of squared errors: single outliers have little effect, lasting deviations add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 64
CAP = 3.0
"""Errors are capped at this multiple of their 95th percentile, so that a single outlier decays quickly."""


def smoothing_factor(window: int) -> float:
    """Return the weight of the newest row: a time constant of two windows, 1 (no smoothing) for vectors."""
    return 1 / (2 * window) if window > 1 else 1.0


def smooth(rows: NDArray[np.float64], factor: float, before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``y[t] = (1 - factor) y[t - 1] + factor rows[t]`` (Roberts 1959), by one matrix product per 64 rows.

    Args:
        rows: float64 ``(n, d)``.
        factor: weight of the newest row, above 0, at most 1.
        before: float64 ``(d,)``, the mean before the first row.
    """
    out = np.empty_like(rows)
    keep = 1 - factor
    ages = np.arange(_CHUNK)[:, None] - np.arange(_CHUNK)
    kernel = factor * np.where(ages >= 0, keep ** np.maximum(ages, 0).astype(np.float64), 0.0)
    fading = keep ** np.arange(1, _CHUNK + 1, dtype=np.float64)[:, None]
    state = before
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        size = len(chunk)
        out[start : start + size] = kernel[:size, :size] @ chunk + fading[:size] * state
        state = out[start + size - 1]
    return out


def capped(squares: NDArray[np.float64], cap: float) -> NDArray[np.float64]:
    """Return squared errors ``(..., features)`` scaled down to a sum of at most ``cap`` squared."""
    total = squares.sum(axis=-1, keepdims=True)
    limit = cap * cap
    return np.where(total > limit, squares * (limit / np.maximum(total, limit)), squares)
