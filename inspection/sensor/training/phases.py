"""The exact period of a cycle, from the phases of its harmonics in successive parts of the training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HARMONICS = 4
_CYCLES_OF_PART = 2
_MOST_PARTS = 64
_LEAST_PARTS = 3
_ERRORS = 3.0
"""A whole number of rows so many standard errors away is taken for the period."""
_LEAST_DRIFT = 0.2
"""And one from which the rows drift by no more than so many in the course of the training."""

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
    parts = min(int(cycles / _CYCLES_OF_PART), _MOST_PARTS)
    known = values[:, ~np.isnan(values).all(axis=0)]
    if parts < _LEAST_PARTS or not known.shape[1]:
        return period
    part = np.minimum((place * parts / cycles).astype(np.int64), parts - 1)
    filled = np.nan_to_num(known / np.maximum(np.nanstd(known, axis=0), 1e-300))
    found = [
        _frequency(_amplitudes(filled, place, part, parts, harmonic), cycles / parts * harmonic)
        for harmonic in range(1, _HARMONICS + 1)
        if harmonic == 1 or period > 2 * harmonic
    ]
    _, correction, error = max(found)
    refined = period / (1 + correction)
    whole = float(round(refined))
    drift = abs(refined / whole - 1)
    return whole if drift <= max(_ERRORS * error, _LEAST_DRIFT / (cycles * period)) else refined


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


def _frequency(amplitudes: NDArray[np.complex128], turns: float) -> tuple[float, float, float]:
    """Return power, relative correction of the frequency, and its standard error.

    Args:
        amplitudes: complex128 ``(parts, sensors)``.
        turns: of the harmonic in one part.
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
    return float(np.abs(steps)), (float(np.angle(steps)) + slope) * scale, float(error) * scale
