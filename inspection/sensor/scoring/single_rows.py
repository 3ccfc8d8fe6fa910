"""The model's arithmetic for rows that come one by one: the same as for a table, in arrays that are made once.

A call of NumPy costs more than what it does to eight sensors: what counts here is how few there are, and that each is
told by its place where the result goes. None of this is for several threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.model.windows import Windows

_SLACK = 64
"""Rows taken before those of a window are moved back to the end of the buffer."""

Vector = NDArray[np.float64]


class RowErrors:
    """Squared errors of single rows by one network."""

    def __init__(self, network: Network) -> None:
        *hidden, self._last = network.folded
        self._input = np.ones(len(network.folded[0]))
        self._scaled = self._input[:-1]
        self._hidden = [(matrix, np.empty(matrix.shape[1]), np.zeros(matrix.shape[1])) for matrix in hidden]
        self._squares = np.empty(self._last.shape[1])

    def squared(self, features: Vector, scaling: Scaling) -> tuple[Vector, float]:
        """Return the squared errors ``(features,)`` of a row, good until the next call, and their sum.

        The sum is NaN when the row misses a value: then the others count for nothing, either.
        """
        scaled, squares = self._scaled, self._squares
        np.subtract(features, scaling.center, scaled)
        np.divide(scaled, scaling.scale, scaled)
        values = self._input
        for matrix, into, zeros in self._hidden:
            values.dot(matrix, into)
            np.maximum(into, zeros, out=into)
            values = into
        values.dot(self._last, squares)
        np.subtract(scaled, squares, squares)
        total = float(squares.dot(squares))
        np.multiply(squares, squares, squares)
        return squares, total


class LastRows:
    """The rows of the window that ends now, the newest first: added up in the very order in which a table's are."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self._sensors = len(windows.origin)
        # Values less the origin, and their squares beside them.
        self._rows = np.full((windows.length + _SLACK, 2 * self._sensors), np.nan)
        self._places = [self._views(place) for place in range(_SLACK + 1)]
        self._place = _SLACK
        self._whole = 0
        self.seen = 0
        self._length = np.array(float(windows.length))
        self._moments = np.empty(2 * self._sensors)
        self._features = np.empty(2 * self._sensors)
        halves = slice(None, self._sensors), slice(self._sensors, None)
        self._mean, self._square = (self._moments[half] for half in halves)
        self._means, self._spreads = (self._features[half] for half in halves)

    @property
    def filling(self) -> bool:
        """Whether the first window is not full yet."""
        return self.seen < self.windows.length

    def take(self, row: Vector, *, whole: bool) -> Vector:
        """Take a row and return the features ``(2 * sensors,)`` of its window; good until the next call.

        Args:
            row: float64 ``(sensors,)``; NaN where a value is missing.
            whole: whether none is missing.
        """
        if not self._place:
            kept = self.windows.length - 1
            self._rows[_SLACK + 1 :] = self._rows[:kept]
            self._place = _SLACK + 1
        self._place -= 1
        self.seen += 1
        self._whole = self._whole + 1 if whole else 0
        values, squares, window = self._places[self._place]
        np.subtract(row, self.windows.origin, values)
        np.multiply(values, values, squares)
        if self._whole < self.windows.length:
            self._of_known(window)
        else:
            np.add.reduce(window, axis=0, out=self._moments)
            np.divide(self._moments, self._length, self._moments)
        self.windows.of_means(self._mean, self._square, self._means, self._spreads)
        return self._features

    def exchange(self, windows: Windows) -> None:
        """Go on with windows of the same length, whose origin may be another."""
        if windows is self.windows:
            return
        values = self._rows[:, : self._sensors]
        values += self.windows.origin - windows.origin
        self._rows[:, self._sensors :] = values * values
        self.windows = windows

    def _of_known(self, window: Vector) -> None:
        known = ~np.isnan(window)
        np.add.reduce(np.where(known, window, 0.0), axis=0, out=self._moments)
        count = np.add.reduce(known, axis=0, dtype=np.float64)
        count[count == 0] = np.nan
        np.divide(self._moments, count, self._moments)

    def _views(self, place: int) -> tuple[Vector, Vector, Vector]:
        """Return the values and the squares of the row at a place, and the window that begins with it."""
        row = self._rows[place]
        return row[: self._sensors], row[self._sensors :], self._rows[place : place + self.windows.length]
