"""Alarms that belong together: episodes with start, end, peak and the sensors that made them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.scoring.rows import RowScores

_SENSORS = 3


@dataclass(frozen=True, slots=True)
class Episode:
    """A run of alarms, shorter pauses included.

    Attributes:
        start: row of the first alarm.
        end: row of the last one.
        peak: row of the highest score.
        score: of that row.
        alarms: number of rows with an alarm.
        sensors: up to three sensors with the largest shares, added up over the alarms, in descending order.
        open: whether the rows end before the hold-off has passed: it may go on.
    """

    start: int
    end: int
    peak: int
    score: float
    alarms: int
    sensors: tuple[tuple[str, float], ...]
    open: bool


def episodes_of(scored: RowScores, hold_off: int) -> tuple[Episode, ...]:
    """Return the episodes of scored rows, in the order of time.

    Args:
        scored: the rows.
        hold_off: an episode ends with the last alarm before so many rows without one.
    """
    alarms = np.flatnonzero(scored.alarms)
    if not len(alarms):
        return ()
    runs = np.split(alarms, np.flatnonzero(np.diff(alarms) > hold_off) + 1)
    return tuple(_episode(scored, run, hold_off) for run in runs)


def _episode(scored: RowScores, run: np.ndarray[tuple[int], np.dtype[np.int64]], hold_off: int) -> Episode:
    scores = scored.scores[run]
    # Each row by its own score: a row far off says more of the fault than one that is hardly an alarm.
    leading = leading_shares(np.square(scores) @ scored.shares[run])
    peak = int(np.argmax(scores))
    return Episode(
        start=int(run[0]),
        end=int(run[-1]),
        peak=int(run[peak]),
        score=float(scores[peak]),
        alarms=len(run),
        sensors=tuple((scored.columns[place], share) for place, share in leading),
        open=len(scored.scores) - 1 - int(run[-1]) < hold_off,
    )


def leading_shares(squares: NDArray[np.float64]) -> tuple[tuple[int, float], ...]:
    """Return place and share of the three sensors that add most, in descending order.

    Args:
        squares: float64 ``(sensors,)``, what each adds to the squared scores of an episode's alarms.
    """
    shares = squares / max(float(squares.sum()), 1e-300)
    order = np.argsort(-shares, kind="stable")[:_SENSORS]
    return tuple((int(place), float(shares[place])) for place in order if shares[place] > 0)
