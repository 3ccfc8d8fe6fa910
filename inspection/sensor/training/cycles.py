"""Finding the cycles of a series: those of the machine by autocorrelation, the day and the week by the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, phases_of
from inspection.sensor.training.periods import LEAST_PERIOD, dominant_period, moving_mean
from inspection.sensor.training.phases import phase_walks, refined_period

DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
_LEAST_CYCLES = 3
_MOST_CYCLES = 2
"""Cycles of the machine beside the day and the week."""
_MOST_PHASES, _PHASES_OF_WEEK = 288, 168
_FINER, _ROWS_OF_PHASE = 4, 40
"""Phases of one row where a cycle is no whole number of rows, as long as each has so many rows of the training."""
_LONG_CYCLE = 1500
"""Rows of a cycle from which on an hour of the week is resolved enough."""
_LEAST_GAIN = 0.1
"""Share of the variance that a cycle must explain in cycles it was not learned from."""
_GAIN_OF_FEW = 2.0
"""The same times the number of cycles, where few are seen: a wandering level repeats itself by chance."""
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

    def add(candidate: _Candidate | None) -> None:
        nonlocal left
        if candidate is not None:
            found.append(candidate.cycle)
            left = left - candidate.cycle.profile[candidate.cycle.phases(positions)]

    first = _of_machine(left, values, positions, clock, calendar)
    # A week holds many cycles of a machine, nearly a whole number of them, and would explain part of these.
    if first is not None and all(
        other is None or first.explained > other.explained
        for other in (_candidate(left, positions, span, clock, exact=True) for span in calendar)
    ):
        add(first)
    for span in calendar:
        add(_candidate(left, positions, span, clock, exact=True))
    while sum(cycle.period not in calendar for cycle in found) < _MOST_CYCLES:
        before = len(found)
        add(_of_machine(left, values, positions, clock, [cycle.period for cycle in found]))
        if len(found) == before:
            break
    return tuple(sorted(found, key=lambda cycle: cycle.period))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A cycle, and the variance that it explains, added up over the sensors, each as a share of its own."""

    cycle: Cycle
    explained: float


def _of_machine(
    left: Matrix, values: Matrix, positions: Vector, clock: Clock | None, others: list[float]
) -> _Candidate | None:
    """Return the cycle that the autocorrelation shows; None where there is none, it is one of others, or keeps no time.

    Args:
        left: float64 ``(rows, sensors)``, of the values without the other cycles.
        values: as for ``find_cycles``.
        positions: likewise.
        clock: likewise.
        others: periods that are known.
    """
    wanted = dominant_period(left, positions)
    if wanted is None or any(abs(wanted / other - 1) <= _SAME for other in others):
        return None
    if phase_walks(values, positions, wanted):
        return None
    return _candidate(left, positions, wanted, clock, exact=False)


def _candidate(
    left: Matrix, positions: Vector, period: float, clock: Clock | None, *, exact: bool
) -> _Candidate | None:
    """Return a cycle of a period where it explains the rows; one that is not exact is refined."""
    if np.ptp(positions) < _LEAST_CYCLES * period:
        return None
    # A trend or a longer cycle is no part of what this one must explain.
    length = min(round(period), len(left))
    values = left - np.stack([moving_mean(column, length) for column in left.T], axis=1)
    least = np.full(values.shape[1], _LEAST_GAIN)
    if not exact:
        keeps = _keeps_its_phase(values, positions, period)
        period = refined_period(values, positions, period)
        few = _GAIN_OF_FEW / max(float(np.ptp(positions)) / period, 1.0)
        least = np.where(keeps, max(_LEAST_GAIN, few), np.inf)
    shift = 0.0 if clock is None else clock.origin / clock.period % period
    profile, gain = _profile(values, positions + shift, period, _phases(period, len(values)))
    used = gain > least
    if not used.any():
        return None
    shares = np.nanvar(values, axis=0) / np.maximum(np.nanvar(left, axis=0), 1e-300)
    return _Candidate(Cycle(period, shift, np.where(used, profile, 0.0)), float((gain * shares)[used].sum()))


def _phases(period: float, rows: int) -> int:
    """Return into how many phases a cycle is divided: its rows, and finer where these fall between each other."""
    if period >= _LONG_CYCLE:
        return _PHASES_OF_WEEK
    each = max(round(period), 2)
    if period != round(period):
        each = int(np.clip(rows // _ROWS_OF_PHASE, each, _FINER * each))
    return min(each, _MOST_PHASES)


def _keeps_its_phase(values: Matrix, positions: Vector, period: float) -> NDArray[np.bool_]:
    """Return for which sensors the first half of the rows predicts the second, bool ``(sensors,)``.

    What turns now faster, now slower explains rows between others, but none of the weeks to come.
    """
    half = int(np.searchsorted(positions, (positions[0] + positions[-1]) / 2))
    if positions[half - 1] - positions[0] < _LEAST_CYCLES * period:
        return np.ones(values.shape[1], np.bool_)
    period = refined_period(values[:half], positions[:half], period)
    phases = _phases(period, half)
    phase = phases_of(positions, period, 0.0, phases)
    first = np.arange(len(values)) < half
    out = np.zeros(values.shape[1], np.bool_)
    for place, column in enumerate(values.T):
        learned, later = first & ~np.isnan(column), ~first & ~np.isnan(column)
        rows = np.bincount(phase[learned], minlength=phases)
        profile = np.bincount(phase[learned], column[learned], minlength=phases) / np.maximum(rows, 1)
        error = np.square(column[later] - profile[phase[later]]).sum()
        out[place] = error < (1 - _LEAST_GAIN) * np.square(column[later]).sum()
    return out


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
