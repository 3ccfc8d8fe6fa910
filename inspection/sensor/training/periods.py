"""Finding periods that rows repeat: autocorrelation of what is left after slower changes are removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_PERIOD = 4
_LONGEST_LAG = 20_000
_LEAST_REPEATS = 4
_FIRST_WINDOW, _NEXT_WINDOW = 32, 4
"""Rows of the shortest moving mean that is removed, and how much longer the next one is."""
_FALLEN, _PEAK, _RISE, _FIRST_OF = 0.5, 0.15, 0.25, 0.85
_SIGNIFICANT = 4.0
"""Least height of a peak, in standard deviations of the autocorrelation of white noise."""
_HILL = 1.2
"""Where the top of a peak is sought: noise makes a first bump on its slope."""
_STILL_A_PEAK = 0.5
_MOST_SENSORS = 16
_MOST_EMPTY = 4
"""Rows of the grid for one row of the table; in a sparser grid cycles are not sought."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def autocorrelation(column: Vector, most: int) -> Vector:
    """Return the autocorrelation at the lags 0 to ``most``, float64 ``(most + 1,)``; 0 for a constant column."""
    known = ~np.isnan(column)
    filled = np.where(known, column - np.nanmean(column), 0.0)
    size = 2 * len(filled)
    products = np.fft.irfft(np.abs(np.fft.rfft(filled, size)) ** 2, size)[: most + 1]
    pairs = np.fft.irfft(np.abs(np.fft.rfft(known.astype(np.float64), size)) ** 2, size)[: most + 1]
    mean = products / np.maximum(np.rint(pairs), 1)
    # Rounding leaves a trace of variance in a constant column.
    return mean / mean[0] if mean[0] > 1e-12 * max(1.0, float(np.nanmean(column)) ** 2) else np.zeros(most + 1)


def moving_mean(column: Vector, window: int) -> Vector:
    """Return the mean of the ``window`` rows around each row, at the ends that of the first and last ``window`` rows.

    Args:
        column: float64 ``(n,)``; NaN where missing, 0 where a whole window is.
        window: at most ``n``.
    """
    known = ~np.isnan(column)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, column, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    starts = np.clip(np.arange(len(column)) - window // 2, 0, len(column) - window)
    return np.asarray((sums[starts + window] - sums[starts]) / np.maximum(counts[starts + window] - counts[starts], 1))


def on_grid(values: Matrix, positions: Vector) -> Matrix:
    """Return rows at whole positions, NaN between them; the rows as they are where positions are far apart."""
    places = np.rint(positions - positions[0])
    if not 0 <= places.min() <= places.max() < _MOST_EMPTY * len(values):
        return values
    out = np.full((int(places.max()) + 1, values.shape[1]), np.nan)
    out[places.astype(np.int64)] = values
    return out


def dominant_period(values: Matrix, positions: Vector) -> float | None:
    """Return the period of the highest peak of the autocorrelation of any sensor; None without one.

    Moving means of several lengths are removed in turn, so that a trend or a longer cycle does not hide a shorter one.
    A peak must be higher than those of white noise, and higher than the lowest value before it; its place is refined by
    its multiples, as far as there are peaks.

    Args:
        values: float64 ``(rows, sensors)``, in the order of time; NaN where missing.
        positions: float64 ``(rows,)``.
    """
    grid = on_grid(values, positions)
    best: tuple[float, float] | None = None
    order = np.argsort(-np.nanvar(values, axis=0) / np.maximum(np.nanmax(np.abs(values), axis=0) ** 2, 1e-300))
    for place in order[:_MOST_SENSORS]:
        window = _FIRST_WINDOW
        while window <= len(grid) // 2:
            found = _highest_peak(grid[:, place] - moving_mean(grid[:, place], window), window)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
            window *= _NEXT_WINDOW
    return None if best is None else best[1]


def _highest_peak(column: Vector, longest: int) -> tuple[float, float] | None:
    """Return height and place of the first of the highest peaks of the autocorrelation."""
    most = min(longest, len(column) // _LEAST_REPEATS, _LONGEST_LAG)
    all_lags = autocorrelation(column, len(column) * 3 // 4)
    curve = all_lags[: most + 1]
    if most < LEAST_PERIOD:
        return None
    # Noise of single rows lowers all lags but the first.
    fallen = np.flatnonzero(curve < _FALLEN * max(float(curve[1:3].max()), 0.0))
    if not len(fallen):
        return None
    least = max(_PEAK, _SIGNIFICANT / float(np.sqrt(max((~np.isnan(column)).sum(), 1))))
    inner = curve[1:-1]
    peaks = np.flatnonzero((inner >= curve[:-2]) & (inner > curve[2:])) + 1
    peaks = peaks[(peaks >= max(int(fallen[0]), LEAST_PERIOD)) & (curve[peaks] > least)]
    if not len(peaks):
        return None
    first = int(peaks[curve[peaks] > _FIRST_OF * curve[peaks].max()][0])
    first += int(np.argmax(curve[first : int(_HILL * first) + 1]))
    height = float(curve[first])
    if height - float(curve[:first].min()) <= _RISE:
        return None
    return height, _refined(all_lags, first)


def _refined(curve: Vector, first: int) -> float:
    """Return the period by the last of the multiples of a lag, each twice the one before, at which there is a peak."""
    period, times = float(first), 2
    while (middle := times * period) + period / 4 < len(curve):
        start = int(middle - period / 4)
        part = curve[start : int(middle + period / 4) + 1]
        if part.max() < _STILL_A_PEAK * curve[first]:
            break
        period, times = (start + int(np.argmax(part))) / times, 2 * times
    return period
