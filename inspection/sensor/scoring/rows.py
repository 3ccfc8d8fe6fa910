"""The rows of a whole table judged, each with the sensors that make its score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import SensorModel


@dataclass(frozen=True, slots=True)
class RowScores:
    """What a model says of a table.

    Attributes:
        columns: names of the sensors.
        threshold: a score strictly above it is an alarm.
        scores: float64 ``(rows,)``; NaN for a row that misses more than half of its features.
        alarms: bool ``(rows,)``.
        shares: float64 ``(rows, columns)``: the part each sensor has in the score squared, 0 to 1; they add up to 1.
            0 where there is no score. Of a model of windows, what the mean and the spread of a sensor have together.
    """

    columns: tuple[str, ...]
    threshold: float
    scores: NDArray[np.float64]
    alarms: NDArray[np.bool_]
    shares: NDArray[np.float64]

    def leading(self, row: int, most: int) -> tuple[tuple[str, float], ...]:
        """Return at most ``most`` sensors of a row and their shares, the largest first; none without a share."""
        shares = self.shares[row]
        order = np.argsort(-shares, kind="stable")[:most]
        return tuple((self.columns[place], float(shares[place])) for place in order if shares[place] > 0)


def score_rows(model: SensorModel, values: NDArray[np.float64]) -> RowScores:
    """Judge the rows of a table.

    Args:
        model: of vectors or of windows.
        values: float64 ``(rows, input_dimension)``, for windows in the order of time; NaN where a value is missing.

    Raises:
        InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``.
    """
    squares = model.contributions(values)
    totals = squares.sum(axis=1)
    # The features of windows are the means of all sensors, then their spreads.
    per_sensor = squares.reshape(len(squares), -1, model.input_dimension).sum(axis=1)
    judged = np.isfinite(totals) & (totals > 0)
    shares = np.zeros_like(per_sensor)
    shares[judged] = per_sensor[judged] / totals[judged, None]
    scores = np.asarray(np.sqrt(totals), np.float64)
    threshold = model.metadata.threshold
    return RowScores(model.metadata.columns, threshold, scores, np.asarray(scores > threshold), shares)
