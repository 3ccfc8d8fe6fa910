"""How far a pass is: counts, bytes, and how long the present stage will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Stage = Literal["push", "pull", "upload", "download", "snapshot", "compare"]


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a pass is.

    Attributes:
        stage: what it does.
        done: changes, records or blobs.
        total: of them; None when it is unknown.
        done_bytes: of blobs.
        total_bytes: of blobs; None when it is unknown, or the stage moves none.
        seconds_left: of this stage, at its speed so far; None when it is unknown.
    """

    stage: Stage
    done: int
    total: int | None
    done_bytes: int = 0
    total_bytes: int | None = None
    seconds_left: float | None = None


ProgressCallback = Callable[[SyncProgress], None]


class Amount(NamedTuple):
    """A number of things, and their bytes."""

    number: int
    size: int = 0


class PassMeter:
    """Adds up what a pass has done, stage by stage.

    Args:
        expected: what waited at its beginning, by stage; what comes while it runs is added to it.
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(self, expected: Mapping[Stage, Amount], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._expected = expected
        self._monotonic = monotonic
        self._done: dict[Stage, Amount] = {}
        self._spent: dict[Stage, float] = {}
        self._last = monotonic()

    def add(self, stage: Stage, count: int, size: int = 0) -> SyncProgress:
        """Add what was done since the last call, all of it of one stage, and return how far the pass is."""
        now = self._monotonic()
        before = self._done.get(stage, Amount(0))
        done = self._done[stage] = Amount(before.number + count, before.size + size)
        spent = self._spent[stage] = self._spent.get(stage, 0.0) + now - self._last
        self._last = now
        expected = self._expected.get(stage)
        if expected is None:
            return SyncProgress(stage, done.number, None, done.size)
        whole = Amount(max(expected.number, done.number), max(expected.size, done.size))
        # Blobs take time by their bytes, records by their number.
        part = done.size / whole.size if whole.size else done.number / max(whole.number, 1)
        left = spent * (1 - part) / part if part else None
        return SyncProgress(stage, done.number, whole.number, done.size, whole.size or None, left)
