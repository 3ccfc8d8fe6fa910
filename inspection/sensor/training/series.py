"""Training of a model of a series: features at several time scales, their principal components, limits by episodes."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.evidence import Evidence
from inspection.sensor.model.metadata import FORMAT, SensorMetadata, SeriesMetadata
from inspection.sensor.model.sensor_model import Reference, SensorModel
from inspection.sensor.model.series import OF_CHANNEL
from inspection.sensor.model.smoothing import CAP
from inspection.sensor.training.components import components, held_out_deviations
from inspection.sensor.training.cycles import Clock
from inspection.sensor.training.periods import autocorrelation, dominant_period
from inspection.sensor.training.series_features import FittedFeatures, few_cycles_factor, fit_features
from inspection.sensor.training.series_limits import Promise, limits_of, promise_of, promised_choice, threshold_choice
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.thresholds import Choice, histogram, percentiles, threshold_above
from models.storage import sha256_of

MIN_SERIES_ROWS = 120
MAX_SERIES_SENSORS = 64
"""More sensors have too many features for their limits to be learned."""
MINUTE_S = 60.0
"""A row without a time counts as one a minute, where alarms are counted by the week."""
_LEAST_THRESHOLD = 1.0
"""A score of 1 is a feature at its limit; rows of constant sensors alone would give a threshold of 0."""
_RELATED_ALONE = 3
_RELATED = 0.5
_LEAST_PAIRS = 60
_OUTERMOST = 3
_SEARCHED_ROWS = 20_000
"""Newest rows in which a cycle is sought to tell whether rows are a series; in millions it would take minutes."""
_MOST_CELLS = 40_000_000

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainedSeries:
    """A trained model of a series.

    Attributes:
        model: the model.
        errors: float64 ``(rows,)``, the scores behind the threshold; NaN for the first rows, which are not counted.
        not_counted: number of these.
    """

    model: SensorModel
    errors: Vector
    not_counted: int


def is_series(values: Matrix, seconds: Vector | None) -> bool:
    """Return whether rows are those of a series: the next one is known better by the ones before, or by the last cycle.

    With times and up to three sensors they are taken for one also where they do not look it: a level that is lost in
    the noise of single rows is found in the mean of many.

    Args:
        values: float64 ``(n, sensors)``; NaN where missing.
        seconds: float64 ``(n,)``, the time of each row; None without times.
    """
    rows, sensors = values.shape
    if rows < MIN_SERIES_ROWS or sensors > MAX_SERIES_SENSORS:
        return False
    if seconds is not None and sensors <= _RELATED_ALONE:
        return True
    return any(_is_like(column, 1) or _repeats(column) for column in values.T)


def _is_like(column: Vector, lag: int) -> bool:
    """Return whether values are like those so many rows before; where few pairs are known chance alone would say so."""
    known = ~np.isnan(column)
    if (known[lag:] & known[:-lag]).sum() < _LEAST_PAIRS:
        return False
    return bool(autocorrelation(column, lag)[lag] > _RELATED)


def _repeats(column: Vector) -> bool:
    """Return whether rows are like those of the last two cycles, though unlike their neighbours: strokes, pulses.

    The three outermost values on either side count as the next one: two far off, so many rows apart, are no cycle.

    Args:
        column: float64 ``(n,)``, of one sensor; NaN where missing.
    """
    newest = column[-_SEARCHED_ROWS:]
    known = np.sort(newest[~np.isnan(newest)])
    if len(known) < _LEAST_PAIRS:
        return False
    inner = np.clip(newest, known[_OUTERMOST], known[-1 - _OUTERMOST])
    period = dominant_period(inner[:, None], np.arange(float(len(inner))))
    return period is not None and all(_is_like(inner, round(times * period)) for times in (1, 2))


def clock_of(seconds: Vector | None, period_s: float | None) -> Clock | None:
    """Return the clock of rows; None without times."""
    if seconds is None or period_s is None:
        return None
    known = seconds[~np.isnan(seconds)]
    return Clock(float(known[0]), period_s) if len(known) else None


def _newest(rows: int, sensors: int) -> slice:
    """Return which rows are learned from: all, or the newest ones that fit into memory."""
    channels = sensors if sensors == 1 else 2 * sensors
    return slice(max(0, rows - _MOST_CELLS // (2 * channels * OF_CHANNEL)), rows)


def sensor_figures(values: Matrix) -> tuple[Matrix, Vector, Vector]:
    """Return percentiles, mean and standard deviation of each sensor in its own unit."""
    percentile_rows = np.nanpercentile(values, np.arange(101), axis=0).T
    return np.ascontiguousarray(percentile_rows), np.nanmean(values, axis=0), np.nanstd(values, axis=0)


def train_series(
    values: Matrix,
    columns: tuple[str, ...],
    settings: SensorTraining,
    *,
    period_s: float | None,
    seconds: Vector | None,
) -> TrainedSeries:
    """Train on rows of normal operation in the order of time.

    Args:
        values: float64 ``(n, sensors)``; NaN where missing.
        columns: names of the sensors.
        settings: of the training.
        period_s: median time between rows, where known.
        seconds: float64 ``(n,)``, the time of each row; None without times.
    """
    clock = clock_of(seconds, period_s)
    timed = SeriesMetadata(origin_s=clock.origin if clock else None)
    newest = _newest(*values.shape)
    positions = timed.positions(seconds, len(values), period_s)[newest]
    fitted = fit_features(values[newest], positions, clock)
    spans = fitted.series.spans
    counted = slice(min(spans[-1], len(fitted.features) // 10), None)
    features, filled = fitted.features[counted], fitted.filled[counted]
    scaling, network = components(features)
    promise = promise_of(settings, len(features), period_s if clock and period_s else MINUTE_S)
    least_factor = few_cycles_factor(fitted.series, positions)
    deviations = held_out_deviations(features, filled, spans[-1])
    limits = limits_of(deviations, spans[-1], promise, values.shape[1], least_factor)
    known = 2 * np.isnan(values[newest][counted]).sum(axis=1) <= values.shape[1]
    running = known & fitted.running[counted]
    choice = threshold_choice(limits, running, settings, promise, spans)
    held_above = threshold_above(promised_choice(limits, running, promise, spans).value, _LEAST_THRESHOLD)
    described = _described(timed, fitted, len(positions), promise if choice.method == "episodes" else None, held_above)
    metadata = _metadata(values, columns, settings, period_s, described, choice)
    errors = np.full(len(values), np.nan)
    errors[len(values) - len(known) :][known] = limits.errors[known]
    judged = limits.errors[running]
    reference = Reference(percentiles(judged), *histogram(judged), *sensor_figures(values))
    model = SensorModel(metadata, scaling, network, reference, None, fitted.series, Evidence(limits.limits))
    return TrainedSeries(model, errors, len(values) - len(known))


def _described(
    timed: SeriesMetadata, fitted: FittedFeatures, rows: int, promise: Promise | None, held_above: float
) -> SeriesMetadata:
    series = fitted.series
    return timed.model_copy(
        update={
            "spans": series.spans,
            "block": series.block,
            "follow": series.follow,
            "cycles": tuple((cycle.period, cycle.shift) for cycle in series.cycles),
            "false_alarms_per_week": None if promise is None else 1 / promise.weeks,
            "rows_used": rows,
            "stops": fitted.stops,
            "longest_stop": 0 if series.stops is None else series.stops.longest,
            # A state that has lasted as long as the one that was learned is as good a normal one.
            "held": rows,
            "held_above": held_above,
            "largest": series.largest,
        }
    )


def _metadata(
    values: Matrix,
    columns: tuple[str, ...],
    settings: SensorTraining,
    period_s: float | None,
    series: SeriesMetadata,
    choice: Choice,
) -> SensorMetadata:
    return SensorMetadata(
        format=FORMAT,
        name=settings.name,
        columns=columns,
        window=series.spans[-1],
        smoothing=1.0,
        cap=CAP,
        scaling="standard",
        threshold=threshold_above(choice.value, _LEAST_THRESHOLD),
        threshold_method=choice.method,
        threshold_percent=None if choice.method == "episodes" else settings.threshold_percent,
        threshold_rate=choice.rate,
        threshold_held_out=True,
        period_s=period_s,
        rows=len(values),
        missing=float(np.isnan(values).mean()),
        epochs=1,
        seed=settings.seed,
        data_digest=sha256_of(np.ascontiguousarray(values).tobytes()),
        versions={"numpy": np.__version__, "python": platform.python_version()},
        series=series,
    )
