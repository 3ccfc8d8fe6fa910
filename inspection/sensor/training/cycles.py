"""Finding the cycles of a series: those of the machine by autocorrelation, the day and the week by the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, phases_of

DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
_LEAST_CYCLES = 3
_LEAST_PERIOD = 4
_LONGEST_LAG = 20_000
_MOST_PHASES, _PHASES_OF_WEEK = 288, 168
_LONG_CYCLE = 1500
"""Rows of a cycle from which on an hour of the week is resolved enough."""
_LEAST_GAIN = 0.1
"""Share of the variance that a cycle must explain in cycles it was not learned from."""
_FALLEN, _PEAK, _RISE, _FIRST_OF = 0.5, 0.15, 0.25, 0.85
_FINE = 0.01
_FINE_STEPS = 41
_SAME = 0.02
_MOST_SENSORS = 16

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clock:
    """How positions follow from times.

    Attributes:
        origin: seconds at the position 0.
        period: seconds from row to row.
    """

    origin: float
    period: float


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


def find_cycles(values: Matrix, positions: Vector, clock: Clock | None) -> tuple[Cycle, ...]:
    """Return the cycles in rows of normal operation, the shortest first.

    A cycle is kept for the sensors where it explains a tenth of the variance of rows of cycles it was not averaged
    over. Day and week are tried wherever there are times; without them, what the autocorrelation shows.

    Args:
        values: float64 ``(rows, sensors)``, in the order of time; NaN where missing.
        positions: float64 ``(rows,)``.
        clock: of the positions; None without times.
    """
    left = values - np.nanmean(values, axis=0)
    wanted = [(float(lag), False) for lag in (_dominant_lag(left),) if lag is not None]
    if clock is not None:
        calendar = [span / clock.period for span in (DAY_S, WEEK_S)]
        wanted = [(lag, False) for lag, _ in wanted if all(abs(lag / span - 1) > _SAME for span in calendar)]
        wanted += [(span, True) for span in calendar if span > _LEAST_PERIOD]
    found = []
    for period, exact in sorted(wanted):
        if np.ptp(positions) < _LEAST_CYCLES * period:
            continue
        cycle = _best_cycle(left, positions, period, clock, exact=exact)
        if cycle is not None:
            found.append(cycle)
            left = left - cycle.profile[cycle.phases(positions)]
    return tuple(found)


def _dominant_lag(values: Matrix) -> int | None:
    """Return the lag of the highest peak of the autocorrelation of any sensor; its first one, not a multiple."""
    best: tuple[float, int] | None = None
    most = min(len(values) // 4, _LONGEST_LAG)
    order = np.argsort(-np.nanvar(values, axis=0) / np.maximum(np.nanmax(np.abs(values), axis=0) ** 2, 1e-300))
    for place in order[:_MOST_SENSORS]:
        curve = autocorrelation(values[:, place], most)
        fallen = np.flatnonzero(curve < _FALLEN)
        if not len(fallen):
            continue
        inner = curve[1:-1]
        peaks = np.flatnonzero((inner >= curve[:-2]) & (inner > curve[2:])) + 1
        peaks = peaks[(peaks >= max(int(fallen[0]), _LEAST_PERIOD)) & (curve[peaks] > _PEAK)]
        if not len(peaks):
            continue
        first = int(peaks[curve[peaks] > _FIRST_OF * curve[peaks].max()][0])
        height = float(curve[first])
        if height - float(curve[:first].min()) > _RISE and (best is None or height > best[0]):
            best = height, first
    return None if best is None else best[1]


def _best_cycle(values: Matrix, positions: Vector, period: float, clock: Clock | None, *, exact: bool) -> Cycle | None:
    phases = int(min(max(round(period), 2), _MOST_PHASES)) if period < _LONG_CYCLE else _PHASES_OF_WEEK
    # Whole rows first: a period that is a little off drifts out of step in later weeks, so the whole one wins ties.
    periods = [period] if exact else [period, *(period * np.linspace(1 - _FINE, 1 + _FINE, _FINE_STEPS))]
    shift = 0.0 if clock is None else clock.origin / clock.period
    best: tuple[float, Cycle] | None = None
    for tried in periods:
        profile, gain = _profile(values, positions + shift % tried, float(tried), phases)
        used = gain > _LEAST_GAIN
        if used.any() and (best is None or float(gain.max()) > best[0] + 1e-3):
            best = float(gain.max()), Cycle(float(tried), shift % float(tried), np.where(used, profile, 0.0))
    return None if best is None else best[1]


def _profile(values: Matrix, positions: Vector, period: float, phases: int) -> tuple[Matrix, Vector]:
    """Return the mean by phase, and the share of each sensor's variance that it explains in cycles left out in turn."""
    phase = phases_of(positions, period, 0.0, phases)
    # Only cycles that have rows: one wrong date may lie any number of cycles away.
    occupied, cycle = np.unique(np.floor(positions / period), return_inverse=True)
    shape = len(occupied), phases
    profile, gain = np.zeros((phases, values.shape[1])), np.zeros(values.shape[1])
    for place, column in enumerate(values.T):
        known = ~np.isnan(column)
        cells = cycle[known] * phases + phase[known]
        rows = np.bincount(cells, minlength=shape[0] * phases).reshape(shape)
        sums = np.bincount(cells, column[known], minlength=shape[0] * phases).reshape(shape)
        mean, variance = float(column[known].mean()), float(column[known].var())
        if variance == 0:
            continue
        all_rows, all_sums = rows.sum(axis=0), sums.sum(axis=0)
        profile[:, place] = np.where(all_rows > 0, all_sums / np.maximum(all_rows, 1), mean)
        others = all_rows - rows
        left_out = np.where(others > 0, (all_sums - sums) / np.maximum(others, 1), mean)
        error = column[known] - left_out[cycle[known], phase[known]]
        gain[place] = 1 - float(np.square(error).mean()) / variance
    return profile, gain
