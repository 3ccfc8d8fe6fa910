"""Fitting the features of a series to training rows: cycles, stops, deviations, relations between the sensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, expected, phases_of
from inspection.sensor.model.scaling import fit_scaling, is_resting, known_means
from inspection.sensor.model.series import KINDS, Series
from inspection.sensor.training.cycles import DAY_S, Clock, find_cycles
from inspection.sensor.training.independence import independent_rows
from inspection.sensor.training.stops import FoundStops, find_stops

_FOLLOW = 0.15
"""Rows in which the base line follows, as a share of the training rows."""
_MOST_SPAN = 1000
_PHASE_CYCLES = 30
_PHASE_PRIOR = 20
_PHASE_FLOOR = 0.02
_RIDGE = 0.02
_CLIPPED = 5.0
_LARGEST = 10.0
"""Usual deviations that one row counts at most in energy and roughness: the longest scale forgets a fault the later,
the further it was off."""
_LEAST_SCALE = 0.05
_PASSES = 2
"""Stops are found beside the cycles, and these again without the stops."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedFeatures:
    """A series fitted to training rows.

    Attributes:
        series: the series.
        features: float64 ``(rows, features)`` of these rows.
        filled: float64 ``(rows, channels)``: how far their scales are filled.
        running: bool ``(rows,)``: rows in which the machine does not stand still.
        stops: how many there are.
    """

    series: Series
    features: Matrix
    filled: Matrix
    running: NDArray[np.bool_]
    stops: int


def fit_features(values: Matrix, positions: Vector, clock: Clock | None) -> FittedFeatures:
    """Return the features of a series fitted to rows of normal operation.

    Args:
        values: float64 ``(rows, sensors)``, in the order of time; NaN where missing.
        positions: float64 ``(rows,)``.
        clock: of the positions; None without times.
    """
    cycles, stops = _cycles_and_stops(values, positions, clock)
    running = np.ones(len(values), np.bool_) if stops is None else ~stops.mask
    values = np.where(running[:, None], values, np.nan)
    fitted = _unrelated(values, positions, cycles, spans_of(cycles, len(values), clock))
    if fitted.sensors > 1:
        fitted = _related(fitted, values, positions)
    fitted = replace(fitted, usual=fitted.usual_means(values, positions))
    state = fitted.begin()
    features, filled = fitted.advance(values, positions, state)
    fitted = replace(fitted, base=state.base, stops=None if stops is None else stops.normal)
    return FittedFeatures(fitted, features, filled, running, 0 if stops is None else stops.count)


def _cycles_and_stops(
    values: Matrix, positions: Vector, clock: Clock | None
) -> tuple[tuple[Cycle, ...], FoundStops | None]:
    """Return the cycles of a running machine, and its stops."""
    cycles, stops = find_cycles(values, positions, clock), None
    for _ in range(_PASSES):
        running = values if stops is None else np.where(stops.mask[:, None], np.nan, values)
        found = find_stops(values, values - expected(cycles, np.nanmean(running, axis=0), positions))
        if found is None:
            break
        stops = found
        cycles = find_cycles(np.where(stops.mask[:, None], np.nan, values), positions, clock)
    return cycles, stops


def _unrelated(values: Matrix, positions: Vector, cycles: tuple[Cycle, ...], spans: tuple[int, ...]) -> Series:
    """Return the series of rows without relations between the sensors, and before its usual means are known."""
    rows, sensors = values.shape
    mean = np.nanmean(values, axis=0)
    above = values - expected(cycles, mean, positions)
    spread = fit_scaling(above + mean, "standard").scale
    still = is_resting(values)
    roughness = np.sqrt(known_means(np.square(np.diff(values, axis=0))))
    return Series(
        spans=spans,
        cycles=cycles,
        mean=mean,
        spread=spread,
        phase_spread=_phase_spread(above, positions, cycles, np.where(still, spread, _PHASE_FLOOR * spread)),
        roughness=np.maximum(roughness, np.where(still, spread, 1e-3 * spread)),
        usual=np.zeros(3 * sensors),
        relation=None,
        relation_spread=np.ones(sensors),
        block=spans[1],
        follow=max(_FOLLOW * rows, 4.0 * spans[-1]),
        base=np.zeros(sensors),
        largest=_LARGEST,
    )


def spans_of(cycles: tuple[Cycle, ...], rows: int, clock: Clock | None) -> tuple[int, ...]:
    """Return the time scales in rows: up to the longest cycle of a few hundred rows, else up to a day at most."""
    short = [cycle.period for cycle in cycles if cycle.period < _MOST_SPAN]
    day = DAY_S / clock.period if clock is not None else np.inf
    longest = max(short) if short else min(max(rows / 12, 12.0), day if day > 24 else _MOST_SPAN)  # noqa: PLR2004
    last = int(max(round(min(longest, rows / 8, _MOST_SPAN)), 8))
    first = max(3, round(last ** (1 / KINDS)))
    return first, max(first + 1, round((first * last) ** 0.5)), last


def few_cycles_factor(series: Series, positions: Vector) -> float:
    """Return how much further rows of another cycle lie from a mean over n cycles than those that it is a mean of."""
    cycles = [float(np.ptp(positions)) / cycle.period for cycle in series.cycles]
    fewest = max(min(cycles), 2.0) if cycles else np.inf
    return float(np.sqrt((1 + 1 / fewest) / (1 - 1 / fewest)))


def _phase_spread(above: Matrix, positions: Vector, cycles: tuple[Cycle, ...], least: Vector) -> Matrix | None:
    """Return the deviation by the phase of the first cycle, drawn towards the usual one; None with few cycles."""
    if not cycles or np.ptp(positions) < _PHASE_CYCLES * cycles[0].period:
        return None
    first = cycles[0]
    phases = len(first.profile)
    phase = phases_of(positions, first.period, first.shift, phases)
    out = np.empty((phases, above.shape[1]))
    for place, column in enumerate(above.T):
        known = ~np.isnan(column)
        rows = np.bincount(phase[known], minlength=phases)
        sums = np.bincount(phase[known], np.square(column[known]), minlength=phases)
        usual = float(np.median(sums[rows > 0] / rows[rows > 0]))
        out[:, place] = np.sqrt((sums + _PHASE_PRIOR * usual) / (rows + _PHASE_PRIOR))
    return np.maximum(out, least)


def _related(series: Series, values: Matrix, positions: Vector) -> Series:
    """Return the series with what the sensors predict of each other, and the differences from it (ridge regression)."""
    above, spread = series.deviations(values, positions)
    scaled = np.nan_to_num(np.clip(above / spread, -_CLIPPED, _CLIPPED))
    sensors = scaled.shape[1]
    covariance = scaled.T @ scaled / len(scaled)
    # Of few independent rows the sensors look related by chance.
    ridge = max(_RIDGE, (sensors - 1) / float(np.median(independent_rows(scaled))))
    inverse = np.linalg.inv(covariance + np.eye(sensors) * max(ridge * float(np.trace(covariance)) / sensors, 1e-9))
    relation = inverse / np.diag(inverse)
    differences = scaled @ relation
    deviation = np.maximum(differences.std(axis=0), _LEAST_SCALE)
    steps = np.sqrt(np.square(np.diff(differences / deviation, axis=0)).mean(axis=0))
    # Zeros until the means of all channels are known.
    usual = np.zeros(6 * sensors)
    roughness = np.concatenate([series.roughness, np.maximum(steps, _LEAST_SCALE)])
    return replace(series, relation=relation, relation_spread=deviation, roughness=roughness, usual=usual)
