"""Judging rows one by one as they are measured, with a memory of the rows before."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import RowScore, SensorModel
from inspection.sensor.model.smoothing import capped
from inspection.sensor.scoring.single_rows import LastRows, RowErrors

Vector = NDArray[np.float64]


class SensorStream:
    """The rows of one machine in the order of time. Safe to use from several threads; each row is taken whole.

    For a model of vectors it has no memory. The model may be exchanged for one of the same columns and window while
    the stream runs; its memory stays.
    """

    def __init__(self, model: SensorModel) -> None:
        self._lock = threading.Lock()
        self._model = model
        self._errors = RowErrors(model.network)
        self._last_rows = None if model.windows is None else LastRows(model.windows)
        self._mean = model.usual_squares()
        self._part = np.empty_like(self._mean)
        self._weigh(model)
        self._last: Vector | None = None

    @property
    def last_features(self) -> Vector | None:
        """Features ``(features,)`` of the last row, an array of their own; None before the first."""
        return None if self._last is None else self._last.copy()

    @property
    def model(self) -> SensorModel:
        """The model that judges now."""
        return self._model

    @property
    def warming_up(self) -> bool:
        """Whether too few rows were seen yet to fill a window; until then every row counts as usual."""
        return self._last_rows is not None and self._last_rows.seen < self._last_rows.windows.length - 1

    def exchange(self, model: SensorModel) -> None:
        """Judge with another model from the next row on.

        Raises:
            ValueError: when its columns or its window are others.
        """
        mine, other = self._model.metadata, model.metadata
        if (mine.columns, mine.window) != (other.columns, other.window):
            raise ValueError("a stream goes on with a model of the same columns and window")
        with self._lock:
            if self._last_rows is not None and model.windows is not None:
                self._last_rows.exchange(model.windows)
            if model.metadata is not self._model.metadata:
                self._weigh(model)
            if model.network is not self._model.network:
                self._errors = RowErrors(model.network)
            self._model = model

    def push(self, values: Sequence[float | None]) -> RowScore:
        """Judge the next row.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``; ``sensor-too-many-missing`` when more than
                half of the features are missing; the row is remembered nevertheless.
        """
        with self._lock:
            model, last_rows = self._model, self._last_rows
            row, whole = model.row(values)
            if last_rows is None:
                self._last = row
                return model.row_score(self._squares(row)[0])
            features = self._last = last_rows.take(row, whole=whole)
            if last_rows.filling:
                squares = model.usual_squares()
            else:
                squares, total = self._squares(features)
                if not total < math.inf:
                    return model.row_score(squares)
                if total > self._limit:
                    squares = capped(squares, model.metadata.cap)
            # An exponentially weighted mean, as ``smooth`` has it for a table.
            mean = self._mean
            np.multiply(mean, self._keep, mean)
            np.multiply(squares, self._factor, self._part)
            np.add(mean, self._part, mean)
            return model.row_score(mean)

    def _squares(self, features: Vector) -> tuple[Vector, float]:
        squares, total = self._errors.squared(features, self._model.scaling)
        if math.isnan(total):
            # Something is missing: filling it takes more than one pass.
            squares = self._model.squared_errors(features)
            total = float(squares.sum())
        return squares, total

    def _weigh(self, model: SensorModel) -> None:
        # Arrays: NumPy takes longer to look at a number of Python than to multiply.
        self._factor = np.full(len(self._mean), model.metadata.smoothing)
        self._keep = 1 - self._factor
        self._limit = model.metadata.cap**2
