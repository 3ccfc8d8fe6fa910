"""The state of a stream as bytes: arrays without pickle. Scoring, the newest results and the newest episodes.

What a reader of the stream sees is in them as a whole: the model is needed to go on alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from inspection.sensor import EpisodeLog, SensorModel, StreamState, TimedEpisode
from server.anomaly.stream_schemas import StreamStatus

REMEMBERED = 1_024
"""Results that are kept; a row that is sent again within so many is answered as the first time."""
_OF_EPISODE = 12
"""Numbers of an episode: six, then place and share of three sensors, -1 where there are fewer."""
_STATUSES: tuple[StreamStatus, ...] = get_args(StreamStatus)


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """The result of a row.

    Attributes:
        score: NaN for a row that is not judged.
    """

    at: float
    score: float
    status: StreamStatus


@dataclass(slots=True)
class Remembered:
    """The newest results, by time."""

    by_time: dict[float, ScoredRow] = field(default_factory=dict)

    def add(self, row: ScoredRow) -> None:
        """Remember a result, and forget the oldest beyond ``REMEMBERED``; times only rise."""
        self.by_time[row.at] = row
        if len(self.by_time) > REMEMBERED:
            del self.by_time[next(iter(self.by_time))]


def new_log(model: SensorModel) -> EpisodeLog:
    """Return the log of a stream without episodes."""
    return EpisodeLog(model.metadata.hold_off, model.input_dimension)


def encode(state: StreamState, rows: Iterable[ScoredRow], log: EpisodeLog, *, needs_order: bool) -> bytes:
    """Return the bytes of a state.

    Args:
        state: of the scoring.
        rows: the newest results.
        log: of the episodes.
        needs_order: whether the model judges rows by those before; else its alarms are shown as no episodes.
    """
    kept: Sequence[ScoredRow] = list(rows)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        seen=np.array(state.seen),
        window=state.window,
        mean=state.mean,
        times=np.array([row.at for row in kept], np.float64),
        scores=np.array([row.score for row in kept], np.float64),
        statuses=np.array([_STATUSES.index(row.status) for row in kept], np.uint8),
        episodes=np.array([_numbers(one) for one in log.episodes], np.float64).reshape(-1, _OF_EPISODE),
        squares=log.squares,
        hold_off=np.array(log.hold_off if needs_order else 0),
    )
    return buffer.getvalue()


def decode(data: bytes, model: SensorModel) -> tuple[StreamState, Remembered, EpisodeLog]:
    """Return the state in the bytes of ``encode``; states from before there were episodes have none."""
    log = new_log(model)
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        state = StreamState(int(found["seen"]), found["window"], found["mean"])
        triples = zip(found["times"].tolist(), found["scores"].tolist(), found["statuses"].tolist(), strict=True)
        rows = [ScoredRow(at, score, _STATUSES[status]) for at, score, status in triples]
        if "episodes" in found:
            episodes = [_episode(numbers) for numbers in found["episodes"].tolist()]
            log = EpisodeLog(model.metadata.hold_off, model.input_dimension, episodes, found["squares"])
    return state, Remembered({row.at: row for row in rows}), log


def log_of(data: bytes) -> EpisodeLog | None:
    """Return the episodes in the bytes of ``encode``, without those that are not shown; None for bytes from before."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        if "hold_off" not in found:
            return None
        hold_off, squares = int(found["hold_off"]), found["squares"]
        episodes = [_episode(numbers) for numbers in found["episodes"].tolist()] if hold_off else []
    return EpisodeLog(hold_off, len(squares), episodes, squares)


def _numbers(episode: TimedEpisode) -> list[float]:
    head = [episode.start, episode.end, episode.peak, episode.score, episode.alarms, episode.rows_since]
    sensors = [number for pair in episode.sensors for number in pair]
    return [*head, *sensors, *[-1.0] * (_OF_EPISODE - len(head) - len(sensors))]


def _episode(numbers: Sequence[float]) -> TimedEpisode:
    start, end, peak, score, alarms, rows_since, *sensors = numbers
    pairs = tuple((int(place), share) for place, share in zip(sensors[::2], sensors[1::2], strict=True) if place >= 0)
    return TimedEpisode(start, end, peak, score, int(alarms), int(rows_since), pairs)
