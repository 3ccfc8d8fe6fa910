"""What a series knows of the rows before the next one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(slots=True)
class SeriesState:
    """What a series knows of the rows before.

    Attributes:
        position: of the newest row; NaN before the first.
        base: float64 ``(sensors,)``, the base line: how far the machine has moved from the training.
        rows: number of rows of the present block of the base line.
        moved: float64 ``(sensors,)``, the sum of what they lie above it.
        last: float64 ``(channels,)``, the newest row, from which the next step is measured; NaN where missing.
        means: float64 ``(scales, 4 * channels)``, running means of level, energy, roughness and known rows.
        offsets: float64 ``(cycles,)``, rows by which each cycle is further on than the positions; 0 with times.
        stopped: number of rows of a stop that has not ended; 0 while the machine runs.
        episode: number of rows of an episode of alarms that has not ended; 0 without one.
        quiet: of these, the number after the last alarm.
    """

    position: float
    base: Vector
    rows: int
    moved: Vector
    last: Vector
    means: Matrix
    offsets: Vector
    stopped: int = 0
    episode: int = 0
    quiet: int = 0

    def flattened(self) -> Vector:
        """Return the state as one vector."""
        head = np.array([self.position, self.rows], np.float64)
        # Of a model that holds no rows as in the versions before, which know of no episode.
        tail = [self.stopped, self.episode, self.quiet] if self.episode else [self.stopped]
        return np.concatenate([head, self.base, self.moved, self.last, self.means.ravel(), self.offsets, tail])

    def copy(self) -> SeriesState:
        """Return the same state; ``Series.advance`` replaces all arrays but the running means."""
        return replace(self, means=self.means.copy())

    def restore(self, other: SeriesState) -> None:
        """Become another state, whose arrays are taken."""
        for field in fields(self):
            setattr(self, field.name, getattr(other, field.name))


def read_state(flattened: Vector, sensors: int, channels: int, scales: int, cycles: int) -> SeriesState:
    """Return the state in a vector of ``SeriesState.flattened``, of this version or one before.

    Args:
        flattened: the vector.
        sensors: of the series, as the others.
        channels: see ``Series``.
        scales: number of time scales.
        cycles: number of cycles.
    """
    left = len(flattened) - 2 - 2 * sensors - channels
    # Without an episode, only the stop follows; of states written before stops were kept, nothing.
    tail = max(left - 4 * channels * scales - cycles, 0)
    numbers = [*flattened[len(flattened) - tail :].astype(int).tolist(), 0, 0, 0][:3]
    flattened, left = flattened[: len(flattened) - tail], left - tail
    # States written before the share of known rows, or the offset of each cycle, was kept have no offsets.
    offsets = 0 if left in {3 * channels * scales, 4 * channels * scales} else cycles
    parts = np.split(flattened, np.cumsum([2, sensors, sensors, channels, left - offsets]))
    head, base, moved, last, means, found = (part.copy() for part in parts)
    means = means.reshape(scales, -1)
    if means.shape[1] == 3 * channels:
        means = np.concatenate([means, np.ones((scales, channels))], axis=1)
    found = found if offsets else np.zeros(cycles)
    return SeriesState(float(head[0]), base, int(head[1]), moved, last, means, found, *numbers)
