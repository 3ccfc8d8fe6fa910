"""The exact period of a cycle, from the phases of its harmonics in successive parts of the training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.training.periods import moving_mean

_HARMONICS = 4
_CYCLES_OF_PART = 2
_MOST_PARTS = 64
_LEAST_PARTS = 3
_ERRORS = 3.0
"""A whole number of rows so many standard errors away is taken for the period."""
_LEAST_DRIFT = 0.2
"""And one from which the rows drift by no more than so many in the course of the training."""
_LEAST_WALK_PARTS = 8
_DETRENDED = 2
"""A season that one moving mean leaves would turn the phase to and fro."""
_WEAK = 0.25
"""Parts with less than this share of the usual amplitude tell no phase: the machine stood still."""
_UNLIKELY = 2.33
"""Standard errors below 2, the von Neumann ratio of noise."""
_WALKING = 40.0
"""Most that the ratio is of a random walk, times its steps; on the mean it is 15."""
_BEYOND = 44.0
"""Phase error after ten times the training over the deviation from a straight line within it, of a random walk: the
line's slope is off by the root of 6/5 c/N, and the deviation is the root of cN/15, for N steps of variance c."""
_MOST_ERROR = 0.5
"""Radians of a cycle, from which on the expected values lie beside the rows."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def refined_period(values: Matrix, positions: Vector, period: float) -> float:
    """Return the period by least squares over all rows; a whole number of rows where that is as likely.

    With a period that is a little off the phase of a harmonic moves steadily from part to part of the rows. The slope
    of a straight line through these phases corrects the frequency; its error falls with the power 1.5 of the number of
    rows (Tretter 1985), while that of a peak of the autocorrelation is a part of a row at the longest lag.

    Args:
        values: float64 ``(rows, sensors)`` without a trend; NaN where missing.
        positions: float64 ``(rows,)``, ascending.
        period: known to a few percent.
    """
    place = (positions - positions[0]) / period
    cycles = float(place[-1])
    parts = max(min(int(cycles / _CYCLES_OF_PART), _MOST_PARTS), 1)
    part = np.minimum((place * parts / cycles).astype(np.int64), parts - 1)
    fit = _best_fit(values, place, part, (parts, cycles / parts), period)
    if fit is None:
        return period
    refined = period / (1 + fit.correction)
    whole = float(round(refined))
    drift = abs(refined / whole - 1)
    rows = float(positions[-1] - positions[0])
    return whole if drift <= max(_ERRORS * fit.error, _LEAST_DRIFT / rows) else refined


def phase_walks(values: Matrix, positions: Vector, period: float) -> bool:
    """Return whether each cycle begins where the last one happened to end, so that the phase of later rows is lost.

    A thermostat or a compressor turns now a little faster, now slower: the deviations of its phase from those of a
    steady clock follow each other like a random walk (von Neumann ratio far below 2), and grow without end.

    Args:
        values: float64 ``(rows, sensors)``, with all else that they hold: another cycle taken out of them would take a
            part of this one, now more, now less.
        positions: as for ``refined_period``.
        period: likewise.
    """
    length = min(round(period), len(values))
    for _ in range(_DETRENDED):
        values = values - np.stack([moving_mean(column, length) for column in values.T], axis=1)
    place = (positions - positions[0]) / refined_period(values, positions, period)
    each = max(1, -(-int(place[-1]) // _MOST_PARTS))
    parts = int(place[-1]) // each
    inside = place < parts * each
    # The mean that was removed is not that of a whole cycle at both ends.
    whole = (place[inside] / each).astype(np.int64)
    fit = _best_fit(values[inside], place[inside], whole, (parts, float(each)), period, slice(1, -1))
    return fit is not None and fit.walk * _BEYOND > _MOST_ERROR


class _Fit(NamedTuple):
    """A steady frequency fitted to the phases of one harmonic.

    Attributes:
        power: of the harmonic.
        correction: of the frequency, relative.
        error: its standard error.
        walk: deviation of the phase from that frequency in radians of the cycle; 0 where it is like noise.
    """

    power: float
    correction: float
    error: float
    walk: float


def _best_fit(
    values: Matrix,
    place: Vector,
    part: NDArray[np.int64],
    parts: tuple[int, float],
    period: float,
    taken: slice = slice(None),
) -> _Fit | None:
    """Return the fit of the strongest harmonic; None with few parts.

    Args:
        values: float64 ``(rows, sensors)``.
        place: float64 ``(rows,)``, in cycles.
        part: int64 ``(rows,)``, of each row.
        parts: how many there are, and how many cycles each has.
        period: rows of a cycle.
        taken: the parts that count.
    """
    known = values[:, ~np.isnan(values).all(axis=0)]
    count, cycles = parts
    if count < _LEAST_PARTS or not known.shape[1]:
        return None
    filled = np.nan_to_num(known / np.maximum(np.nanstd(known, axis=0), 1e-300))
    return max(
        _frequency(_amplitudes(filled, place, part, count, harmonic)[taken], cycles * harmonic, harmonic)
        for harmonic in range(1, _HARMONICS + 1)
        if harmonic == 1 or period > 2 * harmonic
    )


def _amplitudes(
    values: Matrix, place: Vector, part: NDArray[np.int64], parts: int, harmonic: int
) -> NDArray[np.complex128]:
    """Return the complex amplitude of a harmonic in each part, complex128 ``(parts, sensors)``."""
    waves = values * np.exp(-2j * np.pi * harmonic * place)[:, None]
    sums = [
        np.bincount(part, column.real, minlength=parts) + 1j * np.bincount(part, column.imag, minlength=parts)
        for column in waves.T
    ]
    return np.stack(sums, axis=1)


def _frequency(amplitudes: NDArray[np.complex128], turns: float, harmonic: int) -> _Fit:
    """Return the fit of a harmonic.

    Args:
        amplitudes: complex128 ``(parts, sensors)``.
        turns: of the harmonic in one part.
        harmonic: from 1.
    """
    steps = (amplitudes[1:] * np.conj(amplitudes[:-1])).sum()
    order = np.arange(len(amplitudes)) - (len(amplitudes) - 1) / 2
    turned = amplitudes * np.exp(-1j * np.angle(steps) * order)[:, None]
    common = (turned * np.conj(turned.sum(axis=0))).sum(axis=1)
    phases, weights = np.angle(common), np.abs(common)
    total = max(float(weights.sum()), 1e-300)
    middle = float((weights * order).sum()) / total
    moment = max(float((weights * np.square(order - middle)).sum()), 1e-300)
    slope = float((weights * (order - middle) * phases).sum()) / moment
    left = phases - slope * (order - middle) - float((weights * phases).sum()) / total
    variance = float((weights * np.square(left)).sum()) / total
    error = np.sqrt(variance * total / (moment * len(order)))
    scale = 1 / (2 * np.pi * turns)
    walk = _walk(left, weights > _WEAK * float(np.median(weights))) / harmonic
    return _Fit(float(np.abs(steps)), (float(np.angle(steps)) + slope) * scale, float(error) * scale, walk)


def _walk(left: Vector, clear: NDArray[np.bool_]) -> float:
    """Return the deviation of phases in successive parts, where they are a random walk; 0 where they are like noise.

    Args:
        left: float64 ``(parts,)``, from a straight line.
        clear: bool ``(parts,)``: parts that tell a phase.
    """
    next_to = clear[1:] & clear[:-1]
    count = int(next_to.sum())
    if count < _LEAST_WALK_PARTS:
        return 0.0
    variance = float(left[clear].var())
    steps = float(np.square(np.diff(left)[next_to]).mean())
    walks = steps < min(2 - _UNLIKELY * 2 / np.sqrt(count), _WALKING / count) * variance
    return float(np.sqrt(variance)) if walks else 0.0
