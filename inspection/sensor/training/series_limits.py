"""The limits of the features of a series, and the threshold of their score, by a promised number of false alarms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.evidence import Evidence
from inspection.sensor.training.cycles import WEEK_S
from inspection.sensor.training.independence import few_rows_factor, independent_rows
from inspection.sensor.training.return_levels import block_maxima, return_level, return_levels
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.thresholds import Choice, choose

SAFETY = 1.6
"""The threshold over the level that the training rows give, for what they do not show, at ten times the training."""
_NEARER = 0.07
"""Power by which it falls for fewer times the training; once the training and less count alike."""
FALSE_ALARMS_PER_WEEK = 0.05
_BEYOND = 10.0
"""No rate is promised for a time longer than so many times the training."""
_LEAST_LIMIT = (3.0, 0.5)

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Promise:
    """One false alarm in so many weeks.

    Attributes:
        weeks: no more than ten times the training.
        row_s: seconds from row to row.
    """

    weeks: float
    row_s: float

    def blocks(self, rows: float) -> float:
        """Return how many blocks of so many rows these weeks are."""
        return self.weeks * WEEK_S / (rows * self.row_s)


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """The limits of features, and the scores of the training rows by them.

    Attributes:
        limits: float64 ``(2 * features,)``.
        seen: float64 ``(rows,)``, the scores by what the rows show.
        errors: float64 ``(rows,)``, those by ``limits``, which are wider where little was seen.
    """

    limits: Vector
    seen: Vector
    errors: Vector


def promise_of(settings: SensorTraining, rows: int, row_s: float) -> Promise:
    """Return what the threshold of a training on so many rows promises."""
    wanted = settings.false_alarms_per_week or FALSE_ALARMS_PER_WEEK
    return Promise(min(1 / wanted, _BEYOND * rows * row_s / WEEK_S), row_s)


def limits_of(deviations: Matrix, memory: int, promise: Promise, sensors: int, least_factor: float) -> SeriesLimits:
    """Return the level of each feature that the promise allows it to exceed once.

    Args:
        deviations: float64 ``(rows, 2 * features)``, of ``held_out_deviations``; made absolute in place.
        memory: rows, the longest of a feature.
        promise: of the threshold.
        sensors: number of sensors.
        least_factor: by which limits grow at least, for few cycles.
    """
    independent = independent_rows(deviations)
    few = np.maximum(few_rows_factor(independent), least_factor)
    distances = np.abs(deviations, out=deviations)
    limits = return_levels(distances, independent, memory, promise.blocks(len(distances)))
    limits = np.maximum(limits, np.repeat(_LEAST_LIMIT, len(limits) // 2))
    seen = np.sqrt(Evidence(limits).squares(distances, sensors).sum(axis=1))
    # Where little was seen, later rows lie further away than those that the limits are of.
    errors = np.sqrt(Evidence(limits * few).squares(distances, sensors).sum(axis=1))
    return SeriesLimits(limits * few, seen, errors)


def threshold_choice(
    found: SeriesLimits, known: Mask, settings: SensorTraining, promise: Promise, spans: tuple[int, ...]
) -> Choice:
    """Return the threshold: by the promise, or as a percentile or a tail where the settings ask for one.

    Args:
        found: the limits, with the scores.
        known: bool ``(rows,)``: rows that are judged.
        settings: of the training.
        promise: of the threshold.
        spans: of the series.
    """
    if settings.percent is not None or settings.auto_threshold:
        return choose(found.errors[known], settings.threshold_percent)
    return promised_choice(found, known, promise, spans)


def promised_choice(found: SeriesLimits, known: Mask, promise: Promise, spans: tuple[int, ...]) -> Choice:
    """Return the threshold by the promise; the arguments are those of ``threshold_choice``."""
    maxima, rows = block_maxima(found.seen[known][:, None], spans[-1])
    beyond = max(promise.blocks(len(known)), 1.0)
    safety = SAFETY * (beyond / _BEYOND) ** _NEARER
    value = safety * float(return_level(maxima, promise.blocks(rows))[0])
    return Choice(value, "episodes", min(spans[1] * promise.row_s / (promise.weeks * WEEK_S), 0.5))
