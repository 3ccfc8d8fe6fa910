"""The threshold of a sensor model: a percentile of its errors, or an extreme-value tail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.metadata import Method
from inspection.sensor.model.sensor_model import SensorModel

AUTO_RATE = 0.001
"""The target false-alarm rate of ``auto``, per row."""
MIN_PERCENT, MAX_PERCENT = 95.0, 99.0
_TAIL_SHARE = 0.1
_MIN_TAIL = 10
_MAX_EXTRAPOLATION = 10.0
_HISTOGRAM_BINS = 50
_MARGIN = 1 + 5e-7
"""Rows of switches and set points repeat, so the percentile may equal the score of many rows; without a margin their
status would depend on rounding, which differs between single rows and tables."""
MIN_THRESHOLD = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and its derivation.

    Attributes:
        value: a score strictly above it is an anomaly.
        method: ``percentile``, or ``tail`` for ``auto``.
        rate: expected share of normal rows above it.
    """

    value: float
    method: Method
    rate: float


def choose(errors: NDArray[np.float64], percent: float | None) -> Choice:
    """Return a threshold from the errors of normal rows.

    Args:
        errors: float64 ``(n,)``, scores of normal rows, at least one.
        percent: percentile, 95 to 99; None for an extreme-value tail at one row in a thousand.
    """
    if percent is not None:
        return Choice(float(np.percentile(errors, percent)), "percentile", 1 - percent / 100)
    return Choice(tail_quantile(errors, AUTO_RATE), "tail", AUTO_RATE)


def tail_quantile(errors: NDArray[np.float64], rate: float) -> float:
    """Return the score that a share ``rate`` of normal rows, with ``errors`` float64 ``(n,)``, is expected to exceed.

    Peaks over threshold: a generalised Pareto distribution of the excesses over the 90th percentile (Pickands 1975),
    fitted by probability-weighted moments (Hosking and Wallis 1987), which are more robust on small samples than
    maximum likelihood. Bounded by the 99th percentile below and ten times the largest error above; the largest error
    with fewer than ten excesses.
    """
    ordered = np.sort(errors)
    base = float(np.quantile(ordered, 1 - _TAIL_SHARE))
    excesses = ordered[ordered > base] - base
    count = len(excesses)
    largest = float(ordered[-1])
    if count < _MIN_TAIL:
        return largest
    mean = float(excesses.mean())
    # Probability-weighted moment: each excess times the share of those above it.
    weighted = float((excesses * (count - np.arange(1, count + 1))).sum() / (count * (count - 1)))
    difference = mean - 2 * weighted
    if difference <= 1e-9 * mean:  # all excesses equal
        return largest
    shape = 2 - mean / difference
    scale = 2 * mean * weighted / difference
    beyond = count / len(ordered) / rate
    excess = scale * math.log(beyond) if abs(shape) < 1e-6 else scale / shape * (beyond**shape - 1)  # noqa: PLR2004
    lowest = float(np.quantile(ordered, 0.99))
    return min(max(base + excess, lowest), _MAX_EXTRAPOLATION * largest)


def threshold_above(value: float, least: float = MIN_THRESHOLD) -> float:
    """Return the threshold at a score that rows may have exactly, no lower than ``least``."""
    return max(value * _MARGIN, least)


def least_threshold(values: NDArray[np.float64], scale: NDArray[np.float64]) -> float:
    """Return the score below which a deviation is no more than rounding: half the finest step of any sensor.

    The step of a sensor is the smallest difference between two of its values, and at most its scale, which is also the
    step of one that never changed. Rows that are rebuilt exactly, such as those of constant sensors, have no errors to
    choose a threshold from.

    Args:
        values: float64 ``(rows, sensors)``, the training rows; NaN where missing.
        scale: float64 ``(sensors,)``, above 0: what the score counts as 1.
    """
    steps = [float(np.diff(np.unique(column[~np.isnan(column)])).min(initial=np.inf)) for column in values.T]
    return max(0.5 * float(np.minimum(np.array(steps) / scale, 1.0).min()), MIN_THRESHOLD)


def choose_again(model: SensorModel, percent: float | None) -> float:
    """Return a threshold of a trained model by another rule, without its training rows.

    Of a series ``None`` gives the threshold by its false alarms a week.

    Args:
        model: has the percentiles of the errors that its threshold was chosen from.
        percent: percentile, 95 to 99; None for the extreme-value tail, fitted to the percentiles where the model was
            not trained with it.
    """
    errors = model.reference.error_percentiles
    if percent is not None:
        return threshold_above(float(np.interp(percent, np.arange(len(errors)), errors)))
    if model.metadata.threshold_method in {"tail", "episodes"}:
        return model.metadata.threshold
    return threshold_above(tail_quantile(errors, AUTO_RATE))


def percentiles(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentiles 0 to 100, float64 ``(101,)``."""
    return np.asarray(np.percentile(errors, np.arange(101)), np.float64)


def histogram(errors: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts ``(50,)`` and edges ``(51,)`` from 0 to the largest error."""
    top = float(errors.max()) or 1.0
    counts, edges = np.histogram(errors, bins=_HISTOGRAM_BINS, range=(0.0, top))
    return counts.astype(np.int64), edges
