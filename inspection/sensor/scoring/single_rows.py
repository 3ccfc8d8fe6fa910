"""The model's arithmetic for single rows: equal to that for tables, in preallocated arrays.

For eight sensors the overhead of a NumPy call exceeds its work, so this code minimises calls and passes output arrays
by position. Not thread-safe.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.model.windows import Windows

_SLACK = 64
"""Rows added before those of the window are copied back to the end of the buffer."""

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
        """Return the squared errors ``(features,)`` of a row, valid until the next call, and their sum.

        The sum is NaN when a value is missing; the errors are invalid then.
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
    """The rows of the current window, newest first, summed in the same order as for tables."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self._sensors = len(windows.origin)
        # Values minus the origin, and their squares beside them.
        self._rows = np.full((windows.length + _SLACK, 2 * self._sensors), np.nan)
        self._row_views = [self._views(position) for position in range(_SLACK + 1)]
        self._position = _SLACK
        self._complete_rows = 0
        self.seen = 0
        self._length = np.array(float(windows.length))
        self._moments = np.empty(2 * self._sensors)
        self._features = np.empty(2 * self._sensors)
        halves = slice(None, self._sensors), slice(self._sensors, None)
        self._mean, self._square = (self._moments[half] for half in halves)
        self._means, self._spreads = (self._features[half] for half in halves)

    @property
    def filling(self) -> bool:
        """Whether the first window is incomplete."""
        return self.seen < self.windows.length

    def add(self, row: Vector, *, complete: bool) -> Vector:
        """Add a row and return the features ``(2 * sensors,)`` of its window, valid until the next call.

        Args:
            row: float64 ``(sensors,)``; NaN where a value is missing.
            complete: whether no value is missing.
        """
        if not self._position:
            kept = self.windows.length - 1
            self._rows[_SLACK + 1 :] = self._rows[:kept]
            self._position = _SLACK + 1
        self._position -= 1
        self.seen += 1
        self._complete_rows = self._complete_rows + 1 if complete else 0
        values, squares, window = self._row_views[self._position]
        np.subtract(row, self.windows.origin, values)
        np.multiply(values, values, squares)
        if self._complete_rows < self.windows.length:
            self._moments_of_known(window)
        else:
            np.add.reduce(window, axis=0, out=self._moments)
            np.divide(self._moments, self._length, self._moments)
        self.windows.of_means(self._mean, self._square, self._means, self._spreads)
        return self._features

    def window(self) -> Vector:
        """Return the rows of the window ``(rows, sensors)`` minus the origin, newest first."""
        rows = min(self.seen, self.windows.length)
        return self._rows[self._position : self._position + rows, : self._sensors].copy()

    def restore(self, window: Vector, seen: int) -> None:
        """Take the rows that ``window`` returned of other rows with the same origin.

        Args:
            window: float64 ``(rows, sensors)``.
            seen: number of rows before, these included.
        """
        place = slice(self._position, self._position + len(window))
        self._rows[place, : self._sensors] = window
        self._rows[place, self._sensors :] = window * window
        self.seen = seen
        incomplete = np.isnan(window).any(axis=1)
        self._complete_rows = int(incomplete.argmax()) if incomplete.any() else len(window)

    def exchange(self, windows: Windows) -> None:
        """Replace the windows by others of the same length, possibly with another origin."""
        if windows is self.windows:
            return
        values = self._rows[:, : self._sensors]
        values += self.windows.origin - windows.origin
        self._rows[:, self._sensors :] = values * values
        self.windows = windows

    def _moments_of_known(self, window: Vector) -> None:
        known = ~np.isnan(window)
        np.add.reduce(np.where(known, window, 0.0), axis=0, out=self._moments)
        count = np.add.reduce(known, axis=0, dtype=np.float64)
        count[count == 0] = np.nan
        np.divide(self._moments, count, self._moments)

    def _views(self, position: int) -> tuple[Vector, Vector, Vector]:
        """Return views of values and squares of the row at a position, and of the window that starts there."""
        row = self._rows[position]
        return row[: self._sensors], row[self._sensors :], self._rows[position : position + self.windows.length]
