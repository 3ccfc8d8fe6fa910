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
    edges = np.linspace(0, len(rows), count + 1).astype(int)
    return np.maximum.reduceat(rows, edges[:-1], axis=0), len(rows) / count


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
