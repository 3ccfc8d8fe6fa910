"""The base line of a series is held while an episode of high scores goes on: what is being judged is not followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.series import Series
from inspection.sensor.model.series_state import SeriesState

_FIRST_BLOCKS = 8
"""Blocks of the base line that are scored at once after an episode began or ended; twice as many each time after."""

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Squares = Callable[[slice, Mask, SeriesState], Matrix]
"""Scores the rows of a slice, of which those of the mask do not move the base line, and moves the state."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Which rows do not move the base line.

    Attributes:
        threshold: a score strictly above it is an alarm. It is the model's own: with one that people move the base line
            would stay behind slow change once they lower it.
        hold_off: rows without an alarm that end an episode.
        longest: rows of an episode that are held. What lasts longer is followed: the machine has changed.
    """

    threshold: float
    hold_off: int
    longest: int

    def squares(self, series: Series, rows: int, state: SeriesState, squares_of: Squares) -> Matrix:
        """Return the squared errors of further rows, float64 ``(rows, sensors)``, and move the state.

        Alarms decide which rows move the base line, and the base line decides about later alarms. So rows are scored as
        if an episode that is open went on, or none began, and from the block of the base line on in which that proves
        wrong they are scored again.

        Args:
            series: of the rows.
            rows: how many there are.
            state: after the rows before.
            squares_of: scores some of them.
        """
        if not self.longest:
            return squares_of(slice(0, rows), np.zeros(rows, np.bool_), state)
        found, start, at_once = [], 0, rows
        while start < rows:
            part = slice(start, min(start + at_once, rows))
            before, supposed = state.copy(), self._supposed(part.stop - start, state)
            squares = squares_of(part, supposed, state)
            held = self._held(squares, state)
            wrong = np.flatnonzero(held != supposed)
            at_once *= 2
            if len(wrong):
                at_once = _FIRST_BLOCKS * series.block
                # The base line moves after whole blocks: the scores of this one are right.
                end = min(series.block_end(before, int(wrong[0])), len(squares))
                state.restore(before)
                squares = squares_of(slice(start, start + end), held[:end], state)
                self._held(squares, state)
            found.append(squares)
            start += len(squares)
        return np.concatenate(found) if found else np.empty((0, series.sensors))

    def _supposed(self, rows: int, state: SeriesState) -> Mask:
        held = np.zeros(rows, np.bool_)
        if state.episode:
            held[: max(self.longest - state.episode, 0)] = True
        return held

    def _held(self, squares: Matrix, state: SeriesState) -> Mask:
        """Return the rows that belong to an episode which is not longer than it may be, and move the state."""
        # A row that is not judged is no alarm.
        alarms = np.sqrt(squares.sum(axis=1)) > self.threshold
        if not state.episode and not alarms.any():
            return np.zeros(len(alarms), np.bool_)
        rows = np.arange(len(alarms))
        # Rows since the last alarm, and the row in which the episode of each row began, from the first of these rows.
        last = np.maximum.accumulate(np.where(alarms, rows, -1 - state.quiet if state.episode else -1 - self.hold_off))
        open_ = rows - last < self.hold_off
        begins = open_ & ~np.concatenate([[state.episode > 0], open_[:-1]])
        since = rows - np.maximum.accumulate(np.where(begins, rows, -state.episode)) + 1
        if len(rows):
            state.episode = int(since[-1]) if open_[-1] else 0
            state.quiet = int(rows[-1] - last[-1]) if open_[-1] else 0
        return np.asarray(open_ & (since <= self.longest), np.bool_)
