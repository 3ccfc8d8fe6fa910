"""Training of a model of a series: features at several time scales, their principal components, limits by episodes."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, expected, phases_of
from inspection.sensor.model.evidence import Evidence
from inspection.sensor.model.metadata import SERIES_FORMAT, SensorMetadata, SeriesMetadata
from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling, fit_scaling, is_resting, known_means
from inspection.sensor.model.sensor_model import Reference, SensorModel
from inspection.sensor.model.series import KINDS, OF_CHANNEL, Series
from inspection.sensor.model.smoothing import CAP
from inspection.sensor.training.cycles import DAY_S, WEEK_S, Clock, find_cycles
from inspection.sensor.training.folds import blocks
from inspection.sensor.training.independence import few_rows_factor, independent_rows
from inspection.sensor.training.periods import autocorrelation
from inspection.sensor.training.return_levels import block_maxima, return_level
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.thresholds import choose, histogram, percentiles, threshold_above
from models.storage import sha256_of

MIN_SERIES_ROWS = 120
MAX_SERIES_SENSORS = 64
"""More sensors have too many features for their limits to be learned."""
MINUTE_S = 60.0
"""A row without a time counts as one a minute, where alarms are counted by the week."""
SAFETY = 1.6
"""The threshold over the level that the training rows give, for what they do not show."""
FALSE_ALARMS_PER_WEEK = 0.05
_LEAST_THRESHOLD = 1.0
"""A score of 1 is a feature at its limit; rows of constant sensors alone would give a threshold of 0."""
_BEYOND = 10.0
"""No rate is promised for a time longer than so many times the training."""
_RELATED_ALONE = 3
_RELATED = 0.5
_FOLLOW = 0.15
"""Rows in which the base line follows, as a share of the training rows."""
_MOST_SPAN = 1000
_PHASE_CYCLES = 30
_PHASE_PRIOR = 20
_PHASE_FLOOR = 0.02
_RIDGE = 0.02
_CLIPPED = 5.0
_CLIPPED_FEATURES = 6.0
_LEAST_SCALE = 0.05
_LEAST_LIMIT = (3.0, 0.5)
_KEPT_VARIANCE = 0.9
_FOLDS = 5
_MOST_SAMPLED = 20_000
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
    """Return whether rows are those of a series: the next one is known better by the ones before.

    With times and up to three sensors they are taken for one also where they do not look it: a level that is lost in
    the noise of single rows is found in the mean of many.
    """
    rows, sensors = values.shape
    if rows < MIN_SERIES_ROWS or sensors > MAX_SERIES_SENSORS:
        return False
    if seconds is not None and sensors <= _RELATED_ALONE:
        return True
    return any(autocorrelation(column, 1)[1] > _RELATED for column in values.T)


def clock_of(seconds: Vector | None, period_s: float | None) -> Clock | None:
    """Return the clock of rows; None without times."""
    if seconds is None or period_s is None:
        return None
    known = seconds[~np.isnan(seconds)]
    return Clock(float(known[0]), period_s) if len(known) else None


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
    metadata = SeriesMetadata(origin_s=clock.origin if clock else None)
    positions = metadata.positions(seconds, len(values), period_s)
    newest = _newest(len(values), values.shape[1])
    series, features, filled = _fit(values[newest], positions[newest], clock)
    skipped = min(series.spans[-1], len(features) // 10)
    features, filled = features[skipped:], filled[skipped:]
    scaling, network = _components(features)
    deviations = _held_out(features, filled, series.spans[-1])
    few = np.maximum(few_rows_factor(independent_rows(deviations)), _few_cycles_factor(series, positions[newest]))
    distances = np.abs(deviations, out=deviations)
    row_s = period_s if clock and period_s else MINUTE_S
    wanted = settings.false_alarms_per_week or FALSE_ALARMS_PER_WEEK
    weeks = min(1 / wanted, _BEYOND * len(features) * row_s / WEEK_S)
    maxima, rows = block_maxima(distances, series.spans[-1])
    repeats = weeks * WEEK_S / (rows * row_s)
    limits = return_level(maxima, repeats)
    half = len(limits) // 2
    limits = np.maximum(limits, np.repeat(_LEAST_LIMIT, half))
    seen = np.sqrt(Evidence(limits).squares(distances, values.shape[1]).sum(axis=1))
    # Where little was seen, later rows lie further away than those that the limits are of.
    evidence = Evidence(limits * few)
    errors = np.sqrt(evidence.squares(distances, values.shape[1]).sum(axis=1))
    missing = 2 * np.isnan(values[newest][skipped:]).sum(axis=1) > values.shape[1]
    errors[missing] = np.nan
    known = errors[~missing]
    by_percent = settings.percent is not None or settings.auto_threshold
    if by_percent:
        choice = choose(known, settings.threshold_percent)
        value, method, rate = choice.value, choice.method, choice.rate
    else:
        maxima, rows = block_maxima(seen[~missing][:, None], series.spans[-1])
        value, method = SAFETY * float(return_level(maxima, repeats)[0]), "episodes"
        rate = min(series.spans[1] * row_s / (weeks * WEEK_S), 0.5)
    made = SensorMetadata(
        format=SERIES_FORMAT,
        name=settings.name,
        columns=columns,
        window=series.spans[-1],
        smoothing=1.0,
        cap=CAP,
        scaling="standard",
        threshold=threshold_above(value, _LEAST_THRESHOLD),
        threshold_method=method,
        threshold_percent=settings.threshold_percent if by_percent else None,
        threshold_rate=rate,
        threshold_held_out=True,
        period_s=period_s,
        rows=len(values),
        missing=float(np.isnan(values).mean()),
        epochs=1,
        seed=settings.seed,
        data_digest=sha256_of(np.ascontiguousarray(values).tobytes()),
        versions={"numpy": np.__version__, "python": platform.python_version()},
        series=metadata.model_copy(
            update={
                "spans": series.spans,
                "block": series.block,
                "follow": series.follow,
                "cycles": tuple((cycle.period, cycle.shift) for cycle in series.cycles),
                "false_alarms_per_week": None if by_percent else 1 / weeks,
                "rows_used": len(positions[newest]),
            }
        ),
    )
    reference = Reference(percentiles(known), *histogram(known), *sensor_figures(values))
    model = SensorModel(made, scaling, network, reference, None, series, evidence)
    left = len(values) - len(errors)
    return TrainedSeries(model, np.concatenate([np.full(left, np.nan), errors]), left)


def sensor_figures(values: Matrix) -> tuple[Matrix, Vector, Vector]:
    """Return percentiles, mean and standard deviation of each sensor in its own unit."""
    percentile_rows = np.nanpercentile(values, np.arange(101), axis=0).T
    return np.ascontiguousarray(percentile_rows), np.nanmean(values, axis=0), np.nanstd(values, axis=0)


def _newest(rows: int, sensors: int) -> slice:
    """Return which rows are learned from: all, or the newest ones that fit into memory."""
    channels = sensors if sensors == 1 else 2 * sensors
    return slice(max(0, rows - _MOST_CELLS // (2 * channels * OF_CHANNEL)), rows)


def _fit(values: Matrix, positions: Vector, clock: Clock | None) -> tuple[Series, Matrix, Vector]:
    """Return the series fitted to rows, the features of these, and how far their scales are filled."""
    rows, sensors = values.shape
    mean = np.nanmean(values, axis=0)
    cycles = find_cycles(values, positions, clock)
    above = values - expected(cycles, mean, positions)
    spread = fit_scaling(above + mean, "standard").scale
    still = is_resting(values)
    spans = spans_of(cycles, rows, clock)
    roughness = np.sqrt(known_means(np.square(np.diff(values, axis=0))))
    fitted = Series(
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
    )
    if sensors > 1:
        fitted = _related(fitted, values, positions)
    fitted = replace(fitted, usual=fitted.usual_means(values, positions))
    state = fitted.begin()
    features, filled = fitted.advance(values, positions, state)
    return replace(fitted, base=state.base), features, filled


def spans_of(cycles: tuple[Cycle, ...], rows: int, clock: Clock | None) -> tuple[int, ...]:
    """Return the time scales in rows: up to the longest cycle of a few hundred rows, else up to a day at most."""
    short = [cycle.period for cycle in cycles if cycle.period < _MOST_SPAN]
    day = DAY_S / clock.period if clock is not None else np.inf
    longest = max(short) if short else min(max(rows / 12, 12.0), day if day > 24 else _MOST_SPAN)  # noqa: PLR2004
    last = int(max(round(min(longest, rows / 8, _MOST_SPAN)), 8))
    first = max(3, round(last ** (1 / KINDS)))
    return first, max(first + 1, round((first * last) ** 0.5)), last


def _few_cycles_factor(series: Series, positions: Vector) -> float:
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


def _components(features: Matrix) -> tuple[Scaling, Network]:
    """Return the scaling of features, and their principal components as a network.

    As many as hold nine tenths of the variance, and fewer than half of the features: with a ReLU each takes two
    units, and the bottleneck stays narrower than the input.
    """
    center, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_SCALE)
    step = max(1, len(features) // _MOST_SAMPLED)
    clipped = np.clip((features[::step] - center) / deviation, -_CLIPPED_FEATURES, _CLIPPED_FEATURES)
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(clipped, rowvar=False)))
    variance, directions = np.maximum(variance[::-1], 0.0), directions[:, ::-1]
    shares = np.cumsum(variance) / max(float(variance.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, _KEPT_VARIANCE)) + 1, (len(variance) - 1) // 2)
    taken = directions[:, :kept].astype(np.float32)
    # ReLU(x) - ReLU(-x) is x.
    network = Network(
        (np.concatenate([taken, -taken], axis=1), np.concatenate([taken.T, -taken.T])),
        (np.zeros(2 * kept, np.float32), np.zeros(len(taken), np.float32)),
    )
    return Scaling(center, deviation, np.zeros(len(center))), network


def _held_out(features: Matrix, filled: Vector, memory: int) -> Matrix:
    """Return deviations and errors of each row, with their signs, by the components of the other blocks of rows."""
    out = np.empty((len(features), 2 * features.shape[1]))
    for fold in blocks(len(features), _FOLDS, min(memory, len(features) // (2 * _FOLDS))):
        scaling, network = _components(np.concatenate([features[part] for part in fold.fitted]))
        # Scaled as later rows are, by all of them.
        deviation = np.maximum(features.std(axis=0), _LEAST_SCALE)
        out[fold.held_out] = Evidence.deviations(
            features[fold.held_out], filled[fold.held_out], Scaling(scaling.center, deviation, scaling.fill), network
        )
    return out
