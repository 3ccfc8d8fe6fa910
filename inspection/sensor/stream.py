"""Judging rows one by one as they are measured, with a memory of the rows before."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model import Judgement, SensorModel
from inspection.sensor.smoothing import capped
from inspection.sensor.windows import Windows


class SensorStream:
    """The rows of one machine in the order of time. Safe to use from several threads; each row is taken whole.

    For a model of vectors it has no memory. The model may be exchanged for one of the same columns and window while
    the stream runs; its memory stays.
    """

    def __init__(self, model: SensorModel) -> None:
        self._lock = threading.Lock()
        self._model = model
        self._memory = np.full((model.metadata.window, model.input_dimension), np.nan)
        self._rows = 0
        self._mean = model.usual_squares()
        self._last: NDArray[np.float64] | None = None

    @property
    def last_features(self) -> NDArray[np.float64] | None:
        """Features ``(features,)`` of the last row; None before the first."""
        return self._last

    @property
    def model(self) -> SensorModel:
        """The model that judges now."""
        return self._model

    @property
    def warming_up(self) -> bool:
        """Whether too few rows were seen yet to fill a window; until then every row counts as usual."""
        return self._rows < self._model.metadata.window - 1

    def exchange(self, model: SensorModel) -> None:
        """Judge with another model from the next row on.

        Raises:
            ValueError: when its columns or its window are others.
        """
        mine, other = self._model.metadata, model.metadata
        if (mine.columns, mine.window) != (other.columns, other.window):
            raise ValueError("a stream goes on with a model of the same columns and window")
        with self._lock:
            if self._model.windows is not None and model.windows is not None:
                self._memory += self._model.windows.origin - model.windows.origin
            self._model = model

    def push(self, values: Sequence[float | None]) -> Judgement:
        """Judge the next row.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``; ``sensor-too-many-missing`` when more than
                half of the features are missing; the row is remembered nevertheless.
        """
        with self._lock:
            model = self._model
            row = model.row(values)
            if model.windows is None:
                self._last = row
                return model.judgement(model.squared_errors(row))
            features = self._last = self._remember(row, model.windows)
            if self._rows < model.windows.length:
                squares = model.usual_squares()
            else:
                squares = model.squared_errors(features)
                total = float(np.add.reduce(squares))
                if total != total:  # noqa: PLR0124 - NaN
                    return model.judgement(squares)
                if total > model.metadata.cap**2:
                    squares = capped(squares, model.metadata.cap)
            factor = model.metadata.smoothing
            self._mean = (1 - factor) * self._mean + factor * squares
            return model.judgement(self._mean)

    def _remember(self, row: NDArray[np.float64], windows: Windows) -> NDArray[np.float64]:
        """Take the row in place of the oldest and return the features of the window."""
        self._memory[self._rows % windows.length] = row - windows.origin
        self._rows += 1
        total = np.add.reduce(self._memory)
        if not math.isnan(np.add.reduce(total)):
            return windows.of_sums(windows.length, total, np.add.reduce(self._memory * self._memory))
        known = ~np.isnan(self._memory)
        shifted = np.where(known, self._memory, 0.0)
        count = known.sum(axis=0, dtype=np.float64)
        return windows.of_sums(np.where(count > 0, count, np.nan), shifted.sum(axis=0), np.square(shifted).sum(axis=0))
