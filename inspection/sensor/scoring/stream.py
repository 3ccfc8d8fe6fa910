"""Scoring of rows one by one as they are measured, with the state of the rows before."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import align, rows_to_align
from inspection.sensor.model.sensor_model import RowScore, SensorModel
from inspection.sensor.model.series_state import SeriesState
from inspection.sensor.model.smoothing import capped
from inspection.sensor.scoring.single_rows import LastRows, RowErrors

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a stream knows of the rows before; another stream of the model goes on from it with the same scores.

    Attributes:
        seen: number of rows.
        window: float64 ``(rows, sensors)``, the newest rows minus the origin of the windows, newest first; of a series
            the first rows, the first one first, while their place in the cycles is not known.
        mean: float64 ``(features,)``, the running mean of the squared errors; of a series its whole state, see
            ``SeriesState.flattened``.
    """

    seen: int
    window: Vector
    mean: Vector


class SensorStream:
    """Scores the rows of one machine in the order of time; thread-safe.

    A stream of a vector model has no state. The model can be replaced by one of the same columns and window at any
    time; the state is kept.

    Args:
        model: scores the rows.
        state: of a stream of the same model, or of one with its columns, windows and origin, to go on from.
    """

    def __init__(self, model: SensorModel, state: StreamState | None = None) -> None:
        self._lock = threading.Lock()
        self._model = model
        self._errors = RowErrors(model.network)
        self._last_rows = None if model.windows is None else LastRows(model.windows)
        self._mean = model.median_squares()
        self._part = np.empty_like(self._mean)
        self._set_smoothing(model)
        self._last: Vector | None = None
        self._series: SeriesState | None = None
        self._seen = 0
        # Rows of a series without times, until they show where in its cycles the machine is.
        self._waiting: list[Vector] = []
        self._to_align = 0
        if model.series is not None:
            self._series = model.series.begin() if state is None else model.series.state_of(state.mean)
            self._seen = 0 if state is None else state.seen
            self._waiting = [] if state is None else list(state.window)
            self._to_align = rows_to_align(model.series.cycles, model.input_dimension)
        if state is not None and self._last_rows is not None:
            self._last_rows.restore(state.window, state.seen)
            self._mean[:] = state.mean

    @property
    def last_features(self) -> Vector | None:
        """A copy of the features ``(features,)`` of the last row; None before the first."""
        return None if self._last is None else self._last.copy()

    @property
    def model(self) -> SensorModel:
        """The current model."""
        return self._model

    @property
    def warming_up(self) -> bool:
        """Whether the rows so far do not fill a window; until then every row scores the median error.

        The window of a series are the rows of ``rows_to_align`` where only they show the place in its cycles: the model
        has no times, or the rows so far came without.
        """
        series = self._model.metadata.series
        if series is not None and self._series is not None:
            without_times = series.origin_s is None or bool(self._waiting)
            return without_times and math.isnan(self._series.position) and len(self._waiting) < self._to_align - 1
        return self._last_rows is not None and self._last_rows.seen < self._last_rows.windows.length - 1

    def state(self) -> StreamState:
        """Return what the stream knows of the rows before."""
        with self._lock:
            if self._series is not None:
                waiting = np.array(self._waiting, np.float64).reshape(-1, self._model.input_dimension)
                return StreamState(self._seen, waiting, self._series.flattened())
            if self._last_rows is None:
                return StreamState(0, np.empty((0, self._model.input_dimension)), self._mean.copy())
            return StreamState(self._last_rows.seen, self._last_rows.window(), self._mean.copy())

    def exchange(self, model: SensorModel) -> None:
        """Use another model from the next row on.

        Raises:
            ValueError: when its columns, its window or its series differ.
        """
        mine, other = self._model.metadata, model.metadata
        if (mine.columns, mine.window, mine.series) != (other.columns, other.window, other.series):
            raise ValueError("the new model must have the same columns, window and series")
        with self._lock:
            if self._last_rows is not None and model.windows is not None:
                self._last_rows.exchange(model.windows)
            if model.metadata is not self._model.metadata:
                self._set_smoothing(model)
            if model.network is not self._model.network:
                self._errors = RowErrors(model.network)
            self._model = model

    def push(self, values: Sequence[float | None], at: float | None = None) -> RowScore:
        """Score the next row.

        Args:
            values: ``input_dimension`` values; None or NaN where a value is missing.
            at: time of the row in seconds since 1970, for a series that has times; without it the row follows the
                one before.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``; ``sensor-too-many-missing`` when more than
                half of the features are missing; the row stays in the window nevertheless.
        """
        with self._lock:
            model, last_rows = self._model, self._last_rows
            row, complete = model.row(values)
            if self._series is not None:
                return model.row_score(self._of_series(row, at, self._series))
            if last_rows is None:
                self._last = row
                return model.row_score(self._squares(row)[0])
            features = self._last = last_rows.add(row, complete=complete)
            if last_rows.filling:
                squares = model.median_squares()
            else:
                squares, total = self._squares(features)
                if not total < math.inf:
                    return model.row_score(squares)
                if total > self._limit:
                    squares = capped(squares, model.metadata.cap)
            # The exponentially weighted mean of ``smooth``.
            mean = self._mean
            np.multiply(mean, self._keep, mean)
            np.multiply(squares, self._factor, self._part)
            np.add(mean, self._part, mean)
            return model.row_score(mean)

    def _of_series(self, row: Vector, at: float | None, state: SeriesState) -> Vector:
        model, metadata = self._model, self._model.metadata
        if model.series is None or metadata.series is None:
            raise ValueError("no model of a series")
        self._seen += 1
        rows, start = row[None], state.position + 1
        if at is not None and metadata.series.origin_s is not None:
            self._waiting = []
            state.offsets[:] = 0.0
        elif math.isnan(start):
            self._waiting.append(row)
            if len(self._waiting) < self._to_align:
                median = float(model.reference.error_percentiles[50])
                return np.full(model.input_dimension, median**2 / model.input_dimension)
            rows, self._waiting = np.array(self._waiting), []
            state.offsets, start = align(model.series.cycles, model.series.spread, rows), 0.0
        seconds = None if at is None else np.array([at])
        positions = metadata.series.positions(seconds, len(rows), metadata.period_s, start)
        return np.asarray(model.series_squares(rows, positions, state)[-1], np.float64)

    def _squares(self, features: Vector) -> tuple[Vector, float]:
        squares, total = self._errors.squared(features, self._model.scaling)
        if math.isnan(total):
            # Missing values are imputed iteratively.
            squares = self._model.squared_errors(features)
            total = float(squares.sum())
        return squares, total

    def _set_smoothing(self, model: SensorModel) -> None:
        # Arrays, as NumPy converts Python numbers more slowly than it multiplies.
        self._factor = np.full(len(self._mean), model.metadata.smoothing)
        self._keep = 1 - self._factor
        self._limit = model.metadata.cap**2
