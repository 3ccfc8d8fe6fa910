"""Finding the cycles of a series: those of the machine by autocorrelation, the day and the week by the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, phases_of
from inspection.sensor.training.periods import LEAST_PERIOD, dominant_period, moving_mean

DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
_LEAST_CYCLES = 3
_MOST_CYCLES = 2
"""Cycles of the machine beside the day and the week."""
_MOST_PHASES, _PHASES_OF_WEEK = 288, 168
_LONG_CYCLE = 1500
"""Rows of a cycle from which on an hour of the week is resolved enough."""
_LEAST_GAIN = 0.1
"""Share of the variance that a cycle must explain in cycles it was not learned from."""
_GAIN_OF_FEW = 2.0
"""The same times the number of cycles, where few are seen: a wandering level repeats itself by chance."""
_FINE = 0.01
_FINE_STEPS = 41
_SAME = 0.02

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


def find_cycles(values: Matrix, positions: Vector, clock: Clock | None) -> tuple[Cycle, ...]:
    """Return the cycles in rows of normal operation, the shortest first.

    A cycle is kept for the sensors where it explains a tenth of the variance of rows of cycles it was not averaged
    over, more where there are few of them, without what changes more slowly than the cycle. Day and week are tried
    wherever there are times, then what the autocorrelation shows.

    Args:
        values: float64 ``(rows, sensors)``, in the order of time; NaN where missing.
        positions: float64 ``(rows,)``.
        clock: of the positions; None without times.
    """
    left = values - np.nanmean(values, axis=0)
    calendar = [] if clock is None else [span / clock.period for span in (DAY_S, WEEK_S)]
    calendar = [span for span in calendar if span > LEAST_PERIOD]
    found: list[Cycle] = []
    for period in calendar:
        left = _with_cycle(found, left, positions, period, clock, exact=True)
    for _ in range(_MOST_CYCLES):
        wanted = dominant_period(left, positions)
        if wanted is None or any(abs(wanted / cycle.period - 1) <= _SAME for cycle in found):
            break
        before = len(found)
        left = _with_cycle(found, left, positions, wanted, clock, exact=False)
        if len(found) == before:
            break
    return tuple(sorted(found, key=lambda cycle: cycle.period))


def _with_cycle(
    found: list[Cycle], left: Matrix, positions: Vector, period: float, clock: Clock | None, *, exact: bool
) -> Matrix:
    """Add a cycle to those found where it explains the rows, and return what it leaves of them."""
    if np.ptp(positions) < _LEAST_CYCLES * period:
        return left
    cycle = _best_cycle(left, positions, period, clock, exact=exact)
    if cycle is None:
        return left
    found.append(cycle)
    return np.asarray(left - cycle.profile[cycle.phases(positions)], np.float64)


def _best_cycle(values: Matrix, positions: Vector, period: float, clock: Clock | None, *, exact: bool) -> Cycle | None:
    phases = int(min(max(round(period), 2), _MOST_PHASES)) if period < _LONG_CYCLE else _PHASES_OF_WEEK
    # Whole rows first: a period that is a little off drifts out of step in later weeks, so the whole one wins ties.
    periods = [period] if exact else [period, *(period * np.linspace(1 - _FINE, 1 + _FINE, _FINE_STEPS))]
    shift = 0.0 if clock is None else clock.origin / clock.period
    # A trend or a longer cycle is no part of what this one must explain.
    length = min(round(period), len(values))
    values = values - np.stack([moving_mean(column, length) for column in values.T], axis=1)
    best: tuple[float, Cycle] | None = None
    for tried in periods:
        profile, gain = _profile(values, positions + shift % tried, float(tried), phases)
        used = gain > max(_LEAST_GAIN, _GAIN_OF_FEW / max(float(np.ptp(positions)) / tried, 1.0) * (not exact))
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
