"""The state of a stream as bytes: arrays without pickle, and the newest results, by which a repeated row is known."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from inspection.sensor import StreamState
from server.anomaly.stream_schemas import StreamStatus

REMEMBERED = 1_024
"""Results that are kept; a row that is sent again within so many is answered as the first time."""
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


def encode(state: StreamState, rows: Iterable[ScoredRow]) -> bytes:
    """Return the bytes of a state."""
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
    )
    return buffer.getvalue()


def decode(data: bytes) -> tuple[StreamState, Remembered]:
    """Return the state in the bytes of ``encode``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        state = StreamState(int(found["seen"]), found["window"], found["mean"])
        triples = zip(found["times"].tolist(), found["scores"].tolist(), found["statuses"].tolist(), strict=True)
        rows = [ScoredRow(at, score, _STATUSES[status]) for at, score, status in triples]
    return state, Remembered({row.at: row for row in rows})
