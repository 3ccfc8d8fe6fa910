"""Scores of all rows of a table, with the share of each sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import SensorModel


@dataclass(frozen=True, slots=True)
class RowScores:
    """The scores of a table.

    Attributes:
        columns: names of the sensors.
        threshold: a score strictly above it is an alarm.
        scores: float64 ``(rows,)``; NaN for a row that is not judged: more than half of its values are missing, or the
            table is shorter than the window of the model.
        alarms: bool ``(rows,)``.
        shares: float64 ``(rows, columns)``: share of each sensor in the squared score, 0 to 1, of sum 1; 0 without
            a score. For models of windows, mean and spread of a sensor are added.
        filling: number of first rows that only fill the window. 0 for a series: a table without times is there as a
            whole, so that its first rows, which a stream must answer before it knows the place in the cycles, are
            judged too.
    """

    columns: tuple[str, ...]
    threshold: float
    scores: NDArray[np.float64]
    alarms: NDArray[np.bool_]
    shares: NDArray[np.float64]
    filling: int = 0

    @property
    def not_judged(self) -> int:
        """Number of rows without a score."""
        return int(np.isnan(self.scores).sum())

    def leading(self, row: int, limit: int) -> tuple[tuple[str, float], ...]:
        """Return the ``limit`` sensors with the largest nonzero shares of a row, in descending order."""
        shares = self.shares[row]
        order = np.argsort(-shares, kind="stable")[:limit]
        return tuple((self.columns[place], float(shares[place])) for place in order if shares[place] > 0)


def score_rows(
    model: SensorModel, values: NDArray[np.float64], seconds: NDArray[np.float64] | None = None
) -> RowScores:
    """Return the scores of the rows of a table.

    Args:
        model: of vectors, windows or a series.
        values: float64 ``(rows, input_dimension)``, for windows in the order of time; NaN where a value is missing.
        seconds: float64 ``(rows,)``, the time of each row, where known; for a series.

    Raises:
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``.
    """
    squares = model.contributions(values, seconds)
    filling = min(len(values), model.metadata.filling)
    # A window judges the rows of the past too: its errors alone do not show that this row has next to no values.
    squares[_unjudged(values, filling)] = np.nan
    totals = squares.sum(axis=1)
    # Features of windows are the means of all sensors, then their spreads.
    per_sensor = squares.reshape(len(squares), -1, model.input_dimension).sum(axis=1)
    scored = np.isfinite(totals) & (totals > 0)
    shares = np.zeros_like(per_sensor)
    shares[scored] = per_sensor[scored] / totals[scored, None]
    scores = np.asarray(np.sqrt(totals), np.float64)
    threshold = model.metadata.threshold
    return RowScores(model.metadata.columns, threshold, scores, np.asarray(scores > threshold), shares, filling)


def _unjudged(values: NDArray[np.float64], filling: int) -> NDArray[np.bool_]:
    """Return which rows cannot be judged, bool ``(rows,)``: all where none fills the window."""
    if filling and filling == len(values):
        return np.ones(len(values), np.bool_)
    return np.asarray(2 * np.isnan(values).sum(axis=1) > values.shape[1], np.bool_)
