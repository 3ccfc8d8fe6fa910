"""Episodes of a stream, kept up to date row by row; of the same rows ``episodes_of`` gives the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import RowScore
from inspection.sensor.scoring.episodes import leading_shares

KEPT_EPISODES = 64
"""The newest episodes that a log keeps."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimedEpisode:
    """A run of alarms of a stream, shorter pauses included.

    Attributes:
        start: time of the first alarm, in seconds since 1970.
        end: time of the last one.
        peak: time of the highest score.
        score: of that row.
        alarms: number of rows with an alarm.
        rows_since: rows after the last alarm.
        sensors: column and share of up to three sensors with the largest shares, in descending order.
    """

    start: float
    end: float
    peak: float
    score: float
    alarms: int
    rows_since: int
    sensors: tuple[tuple[int, float], ...]


class EpisodeLog:
    """The newest episodes of a stream.

    Args:
        hold_off: an episode ends with the last alarm before so many rows without one.
        sensors: number of sensors of the model.
        episodes: so far, in the order of time.
        squares: float64 ``(sensors,)``, what each has added to the squared scores of the alarms of the newest episode;
            None without one.
    """

    def __init__(
        self, hold_off: int, sensors: int, episodes: Sequence[TimedEpisode] = (), squares: Vector | None = None
    ) -> None:
        self.hold_off = hold_off
        self.episodes = list(episodes)
        self.squares = np.zeros(sensors) if squares is None else squares

    def is_open(self, episode: TimedEpisode) -> bool:
        """Return whether an episode may go on: the hold-off has not passed since its last alarm."""
        return episode.rows_since < self.hold_off

    def add(self, at: float, row: RowScore | None) -> None:
        """Add the next row.

        Args:
            at: its time, in seconds since 1970.
            row: its score; None for a row that is not judged.
        """
        newest = self.episodes[-1] if self.episodes else None
        if row is None or row.status != "anomaly":
            if newest is not None:
                self.episodes[-1] = replace(newest, rows_since=newest.rows_since + 1)
            return
        # Features of windows are the means of all sensors, then their spreads.
        squares = np.fromiter(row.contributions.values(), np.float64).reshape(-1, len(self.squares)).sum(axis=0)
        if newest is None or not self.is_open(newest):
            self.squares = np.zeros_like(self.squares)
            newest = TimedEpisode(at, at, at, -np.inf, 0, 0, ())
            self.episodes = [*self.episodes[1 - KEPT_EPISODES :], newest]
        self.squares = self.squares + squares
        highest = row.score > newest.score
        self.episodes[-1] = TimedEpisode(
            start=newest.start,
            end=at,
            peak=at if highest else newest.peak,
            score=row.score if highest else newest.score,
            alarms=newest.alarms + 1,
            rows_since=0,
            sensors=leading_shares(self.squares),
        )
