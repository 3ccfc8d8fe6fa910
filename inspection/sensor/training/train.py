"""Training of a sensor model on normal rows."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.metadata import SensorMetadata
from inspection.sensor.model.network import Network
from inspection.sensor.model.reconstruction import squared_errors
from inspection.sensor.model.scaling import Scaling, resting_scale
from inspection.sensor.model.sensor_model import Reference, SensorModel
from inspection.sensor.model.smoothing import CAP, capped, smooth, smoothing_factor
from inspection.sensor.model.windows import Windows
from inspection.sensor.training.feature_scaling import scaling_of, windows_of
from inspection.sensor.training.fitting import default_epochs
from inspection.sensor.training.folds import blocks
from inspection.sensor.training.lone_values import LoneRule, LoneValues, without_lone_values
from inspection.sensor.training.networks import FittedPart, OnStep, networks_of
from inspection.sensor.training.series import is_series, sensor_figures, train_series
from inspection.sensor.training.settings import MIN_ROWS, SensorTraining
from inspection.sensor.training.thresholds import (
    AUTO_RATE,
    MIN_THRESHOLD,
    choose,
    histogram,
    least_threshold,
    percentiles,
    threshold_above,
)
from models.errors import InvalidInput
from models.storage import sha256_of

_OF_SERIES, _OF_SCALING, _OF_FIT = ("false_alarms_per_week",), ("scaling",), ("hidden", "epochs")
_OF_NETWORKS = (*_OF_FIT, *_OF_SCALING)
"""Settings that only some kinds of models have a use for."""
_LONE, _GAP = 0.005, 5.0
"""Most rows with a value that is not learned, and the least gap: heavy tails leave it in a few tables of a hundred."""
_LONE_OF_SERIES = LoneRule(3, 50.0)
"""A series promises so few false alarms that what comes again must be learned: a pulse a day is an operation."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        model: the trained model.
        errors: float64 ``(rows,)``: the errors behind the threshold; NaN for rows of the first incomplete window and
            for rows with more than half of their values missing.
        constant: names of the sensors that never changed.
        nearly_constant: names of those that hardly ever did.
        not_counted: number of first rows that only fill the windows.
        found_no_series: whether each row is judged alone because the rows do not look like a series, or are too few.
        unused: names of settings that were given and have no effect on a model of this kind.
        lone: single values far from all others, which were not learned.
        lone_rows: rows that have no error because their values are lone, though they are there.
    """

    model: SensorModel
    errors: NDArray[np.float64]
    constant: tuple[str, ...]
    nearly_constant: tuple[str, ...]
    not_counted: int = 0
    found_no_series: bool = False
    unused: tuple[str, ...] = ()
    lone: tuple[LoneValues, ...] = ()
    lone_rows: int = 0


def train(
    values: Matrix,
    columns: tuple[str, ...],
    settings: SensorTraining,
    *,
    period_s: float | None = None,
    seconds: NDArray[np.float64] | None = None,
    start: SensorModel | None = None,
    on_step: OnStep | None = None,
) -> TrainingResult:
    """Train a model on rows of normal operation.

    Args:
        values: float64 ``(n, sensors)``, for windows in the order of time; NaN where a value is missing.
        columns: names of the sensors.
        settings: of the training.
        period_s: median time between rows, where known.
        seconds: float64 ``(n,)``, the time of each row, where known; for a series.
        start: a model whose training continues: its scaling and windows are kept, its weights are the initial ones
            (of a single feature the middle of the new rows is taken).
        on_step: called with the steps done and the total.

    Raises:
        InvalidInput: ``sensor-too-few-rows``, ``sensor-column-empty``, ``sensor-too-many-missing``,
            ``sensor-start-differs``, ``sensor-start-series``, ``sensor-bottleneck``.
    """
    require_rows(values, columns, settings)
    asked = settings
    if start is not None and start.series is not None:
        raise InvalidInput("sensor-start-series")
    chosen = settings.window == 0 and start is None
    if chosen and is_series(without_lone_values(values, columns, _rule_of(settings, len(values)))[0], seconds):
        return _train_series(values, columns, settings, period_s=period_s, seconds=seconds)
    if settings.window == 0:
        settings = settings.model_copy(update={"window": 1 if start is None else start.metadata.window})
    learned, lone = without_lone_values(values, columns, _rule_of(settings, len(values)))
    if start is not None and (start.metadata.columns, start.metadata.window) != (columns, settings.window):
        raise InvalidInput(
            "sensor-start-differs", columns=", ".join(start.metadata.columns), window=start.metadata.window
        )
    if start is not None:
        settings = settings.model_copy(update={"scaling": start.metadata.scaling})
    windows = start.windows if start else windows_of(learned, settings.window)
    features = learned if windows is None else windows.features(learned)[settings.window - 1 :]
    count = settings.folds_of(*learned.shape)
    folds = blocks(len(features), count, 0 if windows is None else windows.length) if count else []
    parts = [
        FittedPart(runs, start.scaling if start else scaling_of(features, runs, settings, windows))
        for runs in ((slice(0, len(features)),), *(fold.fitted for fold in folds))
    ]
    epochs = 1 if features.shape[1] == 1 else settings.epochs or default_epochs(len(features))
    networks = networks_of(
        features, parts, settings, epochs=epochs, start=None if start is None else start.network, on_step=on_step
    )
    held_out = [
        squared_errors(features[fold.held_out], part.scaling, network)
        for fold, part, network in zip(folds, parts[1:], networks[1:], strict=True)
    ]
    squares = held_out or [squared_errors(features, parts[0].scaling, networks[0])]
    fitted = Fitted(parts[0].scaling, networks[0], windows, epochs, squares, held_out=bool(held_out))
    made = assemble(learned, columns, settings, fitted, period_s=period_s)
    made = replace(made, model=_of_table(made.model, values))
    if windows is None and lone:
        _score_whole(made, values, learned)
    unused = _given(asked, (*_OF_SERIES, *(_OF_FIT if features.shape[1] == 1 else ())))
    if start is not None and asked.scaling != start.metadata.scaling:
        unused += _given(asked, _OF_SCALING)
    return replace(made, found_no_series=chosen, unused=unused, lone=lone)


def _train_series(
    values: Matrix,
    columns: tuple[str, ...],
    settings: SensorTraining,
    *,
    period_s: float | None,
    seconds: Vector | None,
) -> TrainingResult:
    learned, lone = without_lone_values(values, columns, _LONE_OF_SERIES)
    found = train_series(learned, columns, settings, period_s=period_s, seconds=seconds)
    usable = 2 * np.isnan(values).sum(axis=1) <= values.shape[1]
    return TrainingResult(
        _of_table(found.model, values),
        found.errors,
        _constant(values, columns),
        _nearly_constant(values, columns),
        found.not_counted,
        unused=_given(settings, _OF_NETWORKS),
        lone=lone,
        lone_rows=int((np.isnan(found.errors) & usable)[found.not_counted :].sum()),
    )


def _rule_of(settings: SensorTraining, rows: int) -> LoneRule:
    """Return which values of rows or windows are not learned.

    They are alarms later, so they must be few beside the false alarms that the threshold allows.
    """
    percent = settings.threshold_percent
    share = min(_LONE, (AUTO_RATE if percent is None else 1 - percent / 100) / 2)
    return LoneRule(max(int(share * rows), 1), _GAP)


def _of_table(model: SensorModel, values: Matrix) -> SensorModel:
    """Return a model that names the rows it was given, also where it did not learn all of their values."""
    described = {
        "missing": float(np.isnan(values).mean()),
        "data_digest": sha256_of(np.ascontiguousarray(values).tobytes()),
    }
    return replace(model, metadata=model.metadata.model_copy(update=described))


def _score_whole(made: TrainingResult, values: Matrix, learned: Matrix) -> None:
    """Put the scores of whole rows in place of the errors of those of which a value was not learned."""
    parts = (np.isnan(learned) & ~np.isnan(values)).any(axis=1)
    made.errors[parts] = made.model.score(values[parts])


def _given(settings: SensorTraining, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those settings that are not as they are where nothing is given."""
    fields = SensorTraining.model_fields
    return tuple(name for name in names if getattr(settings, name) != fields[name].get_default())


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gives.

    Attributes:
        scaling: of the features.
        network: the autoencoder.
        windows: feature extractor; None for vectors.
        epochs: passes over the rows.
        squares: squared errors of the features, float64 ``(rows, features)`` per block of rows.
        held_out: whether they are those of rows that the network was not fitted to.
    """

    scaling: Scaling
    network: Network
    windows: Windows | None
    epochs: int
    squares: list[Matrix]
    held_out: bool = False


def assemble(
    values: Matrix, columns: tuple[str, ...], settings: SensorTraining, fitted: Fitted, *, period_s: float | None
) -> TrainingResult:
    """Return the model of a fit, with the threshold that the settings choose from its errors.

    Args:
        values: float64 ``(n, sensors)``, the training rows.
        columns: names of the sensors.
        settings: of the training.
        fitted: to these rows.
        period_s: median time between rows, where known.
    """
    factor = smoothing_factor(settings.window)
    cap, errors = _errors(fitted.squares, factor)
    known = errors[~np.isnan(errors)]
    choice = choose(known, settings.threshold_percent)
    steps = fitted.scaling.scale if fitted.windows is None else fitted.windows.spread
    metadata = SensorMetadata(
        name=settings.name,
        columns=columns,
        window=settings.window,
        smoothing=factor,
        cap=cap,
        scaling=settings.scaling,
        threshold=threshold_above(choice.value, least_threshold(values, steps)),
        threshold_method=choice.method,
        threshold_percent=settings.threshold_percent,
        threshold_rate=choice.rate,
        threshold_held_out=fitted.held_out,
        period_s=period_s,
        rows=len(values),
        missing=float(np.isnan(values).mean()),
        epochs=fitted.epochs,
        seed=settings.seed,
        data_digest=sha256_of(np.ascontiguousarray(values).tobytes()),
        versions={"numpy": np.__version__, "python": platform.python_version()},
    )
    reference = Reference(percentiles(known), *histogram(known), *sensor_figures(values))
    model = SensorModel(metadata, fitted.scaling, fitted.network, reference, fitted.windows)
    return TrainingResult(
        model,
        np.concatenate([np.full(settings.window - 1, np.nan), errors]),
        _constant(values, columns),
        _nearly_constant(values, columns),
        settings.window - 1,
    )


def require_rows(values: Matrix, columns: tuple[str, ...], settings: SensorTraining) -> None:
    """Check that there are rows to learn from.

    Raises:
        InvalidInput: ``sensor-too-few-rows``, ``sensor-column-empty``, ``sensor-too-many-missing``.
    """
    least = max(MIN_ROWS, 4 * settings.folds, 8 * settings.window)
    if len(values) < least:
        raise InvalidInput("sensor-too-few-rows", rows=len(values), least=least)
    for name, column in zip(columns, values.T, strict=True):
        if np.isnan(column).all():
            raise InvalidInput("sensor-column-empty", column=name)
    # Vectors with more than half missing are not scored; windows are filled by the rows around.
    usable = int((np.isnan(values).mean(axis=1) <= 0.5).sum())  # noqa: PLR2004 - half
    if usable < (least if settings.window == 1 else 1):
        raise InvalidInput("sensor-too-many-missing", expected=len(columns))


def _errors(squares: list[Matrix], factor: float) -> tuple[float, NDArray[np.float64]]:
    """Return the cap of a row's error, and the errors as scored by the model, smoothed per block."""
    raw = np.sqrt(np.concatenate(squares).sum(axis=1))
    cap = max(CAP * float(np.nanpercentile(raw, 95)), MIN_THRESHOLD)
    if factor == 1:
        return cap, raw
    smoothed = []
    for block in squares:
        known = ~np.isnan(block).any(axis=1)
        counted = capped(block[known], cap)
        out = np.full(len(block), np.nan)
        if len(counted):
            out[known] = np.sqrt(smooth(counted, factor, counted.mean(axis=0)).sum(axis=1))
        smoothed.append(out)
    return cap, np.concatenate(smoothed)


def _constant(values: Matrix, columns: tuple[str, ...]) -> tuple[str, ...]:
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return tuple(name for name, least, most in zip(columns, low, high, strict=True) if least == most)


def _resting_scale(values: Matrix) -> NDArray[np.float64]:
    """Return the least scale of sensors that hardly ever leave one value; 0 of others and of constant ones."""
    changing = np.nanmin(values, axis=0) < np.nanmax(values, axis=0)
    return np.where(changing, resting_scale(values), 0.0)


def _nearly_constant(values: Matrix, columns: tuple[str, ...]) -> tuple[str, ...]:
    floored = _resting_scale(values) > np.nanstd(values, axis=0)
    return tuple(name for name, found in zip(columns, floored, strict=True) if found)
