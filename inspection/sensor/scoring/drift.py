"""How far the values of now have moved from those of the training."""

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
_EVERY = 10
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
        column: the sensor.
        rows: values that were compared.
        stability_index: population stability index over the tenths of the training values; 0 for no difference.
        distance: Kolmogorov-Smirnov statistic, 0 to 1: the largest difference of the two distributions.
        shift: difference of the means in standard deviations of the training; of a sensor that never changed there,
            in hundredths of its value.
        level: ``stable``; ``moved`` from an index of 0.1, ``changed`` from 0.25, each beyond what chance alone gives
            for so few rows; ``too-few-rows`` below 50 values.
    """

    column: str
    rows: int
    stability_index: float
    distance: float
    shift: float
    level: Level

    def text(self, language: str = "en") -> ErrorText:
        """Return in plain words what it means and what to do, in ``"en"`` or ``"ja"``."""
        return error_text(
            _TEXTS[self.level], {"column": self.column, "shift": f"{self.shift:+.1f}", "rows": self.rows}, language
        )


def drift_report(model: SensorModel, values: NDArray[np.float64]) -> tuple[SensorDrift, ...]:
    """Compare rows with those of the training, sensor by sensor.

    Args:
        model: holds what the training was like.
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


def _drift(model: SensorModel, place: int, now: NDArray[np.float64]) -> SensorDrift:
    name = model.metadata.columns[place]
    marks = model.reference.sensor_percentiles[place]
    if not len(now):
        return SensorDrift(name, 0, 0.0, 0.0, 0.0, "too-few-rows")
    mean, deviation = float(model.reference.sensor_mean[place]), float(model.reference.sensor_deviation[place])
    if deviation <= 1e-12 * abs(mean):
        deviation = 0.01 * abs(mean) or 1.0
    index, chance = stability_index(marks, now, model.metadata.rows)
    level: Level = "stable"
    if len(now) < MIN_ROWS:
        level = "too-few-rows"
    elif index >= _CHANGED + chance:
        level = "changed"
    elif index >= _MOVED + chance:
        level = "moved"
    shift = (float(now.mean()) - mean) / deviation
    return SensorDrift(name, len(now), index, largest_distance(marks, now), shift, level)


def stability_index(marks: NDArray[np.float64], now: NDArray[np.float64], rows: int) -> tuple[float, float]:
    """Return the population stability index of values against the percentiles of the training, and what chance gives.

    The sum over tenths of ``(p - q) ln(p / q)`` (Siddiqi 2006, a symmetrised Kullback-Leibler divergence). For
    independent samples of one distribution it is about chi-squared with ``bins - 1`` degrees of freedom times
    ``1 / n + 1 / m`` (Yurdakul 2018); the second number is the 99 % point of that by its mean and deviation.

    Args:
        marks: float64 ``(101,)``, percentiles of the training values.
        now: float64 ``(n,)``.
        rows: m, the rows of the training.
    """
    # The lowest bin ends below the least value where many of them are that one: what falls under it is told from it.
    lowest = np.nextafter(marks[0], -np.inf) if marks[0] == marks[_EVERY] else marks[_EVERY]
    edges = np.unique(np.append(marks[_EVERY:-1:_EVERY], lowest))
    bins = len(edges) + 1
    before = np.bincount(np.searchsorted(edges, marks, side="left"), minlength=bins) / len(marks)
    present = np.bincount(np.searchsorted(edges, now, side="left"), minlength=bins) / len(now)
    floor = 0.5 / min(len(now), rows)
    before, present = np.maximum(before, floor), np.maximum(present, floor)
    index = float(((present - before) * np.log(present / before)).sum())
    chance = (bins - 1 + _CERTAINTY * math.sqrt(2 * (bins - 1))) * (1 / len(now) + 1 / rows)
    return index, chance


def largest_distance(marks: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Return the Kolmogorov-Smirnov statistic of values against the percentiles of the training, right to 0.01."""
    places = np.concatenate([marks, now])
    before = np.searchsorted(marks, places, side="right") / len(marks)
    present = np.searchsorted(np.sort(now), places, side="right") / len(now)
    return float(np.abs(before - present).max())
