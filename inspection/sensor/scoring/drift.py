"""Drift of sensor values against the training data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import SensorModel
from models.errors import InvalidInput
from models.messages import ErrorText, error_text

Level = Literal["too-few-rows", "stable", "moved", "changed"]

MIN_ROWS = 50
_MOVED, _CHANGED = 0.1, 0.25
_DECILE_STEP = 10
_CERTAINTY = 2.33
_TEXTS: dict[Level, str] = {
    "too-few-rows": "sensor-drift-too-few-rows",
    "stable": "sensor-drift-stable",
    "moved": "sensor-drift-moved",
    "changed": "sensor-drift-changed",
}


@dataclass(frozen=True, slots=True)
class SensorDrift:
    """The drift of one sensor.

    Attributes:
        column: name of the sensor.
        rows: number of values compared.
        stability_index: population stability index over the deciles of the training values; 0 for no difference.
        distance: Kolmogorov-Smirnov statistic, 0 to 1: the largest difference of the two distributions.
        shift: difference of the means in standard deviations of the training; for a constant sensor in hundredths of
            its value.
        level: ``stable``; ``moved`` from an index of 0.1, ``changed`` from 0.25, each above the 99 % point of a sample
            without drift; ``too-few-rows`` below 50 values.
    """

    column: str
    rows: int
    stability_index: float
    distance: float
    shift: float
    level: Level

    def text(self, language: str = "en") -> ErrorText:
        """Return the explanation and advice for this level, in ``"en"`` or ``"ja"``."""
        return error_text(
            _TEXTS[self.level], {"column": self.column, "shift": f"{self.shift:+.1f}", "rows": self.rows}, language
        )


def drift_report(model: SensorModel, values: NDArray[np.float64]) -> tuple[SensorDrift, ...]:
    """Return the drift of each sensor against the training data.

    Args:
        model: has the distribution of the training values.
        values: float64 ``(n, input_dimension)``; NaN where a value is missing.

    Raises:
        InvalidInput: ``sensor-wrong-length``.
    """
    table = np.asarray(values, np.float64)
    expected = model.input_dimension
    if table.ndim != 2 or table.shape[1] != expected:  # noqa: PLR2004 - rows and columns
        given = table.shape[-1] if table.ndim else 0
        raise InvalidInput("sensor-wrong-length", given=given, expected=expected)
    return tuple(
        _drift(model, place, column[np.isfinite(column)]) for place, column in enumerate(np.ascontiguousarray(table.T))
    )


def _drift(model: SensorModel, place: int, current: NDArray[np.float64]) -> SensorDrift:
    name = model.metadata.columns[place]
    training_percentiles = model.reference.sensor_percentiles[place]
    if not len(current):
        return SensorDrift(name, 0, 0.0, 0.0, 0.0, "too-few-rows")
    mean, deviation = float(model.reference.sensor_mean[place]), float(model.reference.sensor_deviation[place])
    if deviation <= 1e-12 * abs(mean):
        deviation = 0.01 * abs(mean) or 1.0
    index, chance = stability_index(training_percentiles, current, model.metadata.rows)
    level: Level = "stable"
    if len(current) < MIN_ROWS:
        level = "too-few-rows"
    elif index >= _CHANGED + chance:
        level = "changed"
    elif index >= _MOVED + chance:
        level = "moved"
    shift = (float(current.mean()) - mean) / deviation
    return SensorDrift(name, len(current), index, largest_distance(training_percentiles, current), shift, level)


def stability_index(
    training_percentiles: NDArray[np.float64], current: NDArray[np.float64], rows: int
) -> tuple[float, float]:
    """Return the population stability index against the training, and its 99 % point without drift.

    The sum over deciles of ``(p - q) ln(p / q)`` (Siddiqi 2006, a symmetrised Kullback-Leibler divergence). For
    independent samples of one distribution it is about chi-squared with ``bins - 1`` degrees of freedom times
    ``1 / n + 1 / m`` (Yurdakul 2018); the 99 % point uses the normal approximation of that.

    Args:
        training_percentiles: float64 ``(101,)``, percentiles 0 to 100 of the training values.
        current: float64 ``(n,)``.
        rows: m, the number of training rows.
    """
    # Where many training values equal the minimum, the lowest bin ends just below it, to separate smaller values.
    lowest = (
        np.nextafter(training_percentiles[0], -np.inf)
        if training_percentiles[0] == training_percentiles[_DECILE_STEP]
        else training_percentiles[_DECILE_STEP]
    )
    edges = np.unique(np.append(training_percentiles[_DECILE_STEP:-1:_DECILE_STEP], lowest))
    bins = len(edges) + 1
    expected_share = np.bincount(np.searchsorted(edges, training_percentiles, side="left"), minlength=bins) / len(
        training_percentiles
    )
    observed = np.bincount(np.searchsorted(edges, current, side="left"), minlength=bins) / len(current)
    floor = 0.5 / min(len(current), rows)
    expected_share, observed = np.maximum(expected_share, floor), np.maximum(observed, floor)
    index = float(((observed - expected_share) * np.log(observed / expected_share)).sum())
    chance = (bins - 1 + _CERTAINTY * math.sqrt(2 * (bins - 1))) * (1 / len(current) + 1 / rows)
    return index, chance


def largest_distance(training_percentiles: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    """Return the Kolmogorov-Smirnov statistic of values against the training percentiles, accurate to 0.01.

    Args:
        training_percentiles: float64 ``(101,)``, ascending.
        current: float64 ``(n,)``, at least one, without NaN.
    """
    places = np.concatenate([training_percentiles, current])
    expected_share = np.searchsorted(training_percentiles, places, side="right") / len(training_percentiles)
    observed = np.searchsorted(np.sort(current), places, side="right") / len(current)
    return float(np.abs(expected_share - observed).max())
