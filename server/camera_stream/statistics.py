"""The statistics of a stream, second by second; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class StreamStats:
    """A second of a stream.

    Attributes:
        fps_in: frames that came, a second.
        fps_out: frames that were sent, a second.
        latency_p50_ms: from arrival to the client's connection, the median of the frames sent; None without any.
        latency_p95_ms: its 95th percentile.
        frames_in: since the stream began.
        frames_out: since the stream began.
        dropped: frames passed over since the stream began: a newer one came, or they were out of date.
    """

    fps_in: float
    fps_out: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    frames_in: int
    frames_out: int
    dropped: int


class Meter:
    """Counts the frames of a stream.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._came = self._sent = 0
        self._latencies: list[float] = []
        self.frames_in = self.frames_out = self.dropped = 0

    @property
    def due_at(self) -> float:
        """When the present second ends."""
        return self._began + EVERY_S

    def came(self) -> None:
        """Count a frame that came."""
        self.frames_in += 1
        self._came += 1

    def drop(self) -> None:
        """Count a frame that was passed over."""
        self.dropped += 1

    def sent(self, latency_s: float) -> None:
        """Count a frame that was sent."""
        self.frames_out += 1
        self._sent += 1
        self._latencies.append(latency_s * 1000)

    def end_second(self, now: float) -> StreamStats:
        """Return the statistics since the last call, and begin with the next second."""
        seconds = max(now - self._began, EVERY_S / 1000)
        found = StreamStats(
            fps_in=self._came / seconds,
            fps_out=self._sent / seconds,
            latency_p50_ms=percentile(self._latencies, 0.5),
            latency_p95_ms=percentile(self._latencies, 0.95),
            frames_in=self.frames_in,
            frames_out=self.frames_out,
            dropped=self.dropped,
        )
        self._began, self._came, self._sent = now, 0, 0
        self._latencies.clear()
        return found


def percentile(values: Sequence[float], rank: float) -> float | None:
    """Return the smallest value that at least ``rank`` (0 to 1) of the values do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(rank * len(ordered)) - 1)]
