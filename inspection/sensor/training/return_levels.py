"""Levels that a series exceeds once in a stated time: the threshold by false alarms a week."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EULER = 0.5772156649015329
LEAST_BLOCKS, MOST_BLOCKS = 10, 60

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def block_maxima(rows: Matrix, memory: int) -> tuple[Matrix, float]:
    """Return the maxima of successive blocks, float64 ``(blocks, columns)``, and the rows of a block.

    Args:
        rows: float64 ``(n, columns)``, in the order of time; at least ``LEAST_BLOCKS`` rows.
        memory: rows within which maxima belong together; blocks are twice as long where there are enough rows.
    """
    count = min(max(len(rows) // (2 * max(memory, 1)), LEAST_BLOCKS), MOST_BLOCKS)
    return _maxima(rows, count), len(rows) / count


def _maxima(rows: Matrix, count: int) -> Matrix:
    edges = np.linspace(0, len(rows), count + 1).astype(int)
    return np.maximum.reduceat(rows, edges[:-1], axis=0)


def return_levels(rows: Matrix, independent: Vector, memory: int, times: float) -> Vector:
    """Return the level that each column exceeds once in so many times as many rows, float64 ``(columns,)``.

    By blocks that suit the column's own memory, and by those of the longest one, the higher of both: what forgets in
    minutes has more maxima to learn from than a day-long memory leaves, while the maxima of long blocks are less alike.

    Args:
        rows: float64 ``(n, columns)``, in the order of time; at least ``LEAST_BLOCKS`` rows.
        independent: float64 ``(columns,)``, as how many independent rows each column counts.
        memory: rows, the longest.
        times: above 0.
    """
    maxima, block = block_maxima(rows, memory)
    out = return_level(maxima, times * len(rows) / block)
    counts = np.clip((independent / 2).astype(np.int64), LEAST_BLOCKS, MOST_BLOCKS)
    for count in np.unique(counts):
        chosen = counts == count
        out[chosen] = np.maximum(out[chosen], return_level(_maxima(rows[:, chosen], int(count)), times * count))
    return out


def return_level(maxima: Matrix, blocks: float) -> Vector:
    """Return the level that one block in ``blocks`` exceeds, float64 ``(columns,)``; no less than the largest maximum.

    A Gumbel distribution of the maxima, fitted by probability-weighted moments (Hosking 1990): of ten to sixty blocks
    the shape of a heavier tail cannot be estimated.
    """
    ordered = np.sort(maxima, axis=0)
    count = len(ordered)
    mean = ordered.mean(axis=0)
    weighted = (ordered * (np.arange(count) / (count - 1))[:, None]).mean(axis=0)
    scale = np.maximum(2 * weighted - mean, 0.0) / np.log(2)
    level = mean - _EULER * scale - scale * np.log(-np.log1p(-1 / max(blocks, 1.01)))
    return np.asarray(np.maximum(level, ordered[-1]), np.float64)
