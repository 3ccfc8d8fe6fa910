"""Coreset selection for the memory bank: greedy k-center."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.arrays import FloatArray

_POOL = 256
_CHUNK = 8192


def greedy_k_center(
    points: FloatArray, count: int, first: int, check: Callable[[], None] = lambda: None
) -> NDArray[np.int64]:
    """Select ``count`` points, each the one farthest from those selected before (Gonzalez 1985).

    The result equals that of the plain algorithm, computed faster: distances to the nearest center only shrink, so
    within the ``_POOL`` farthest points of a round a selection is final as long as the farthest of them is at least as
    far as the farthest point outside was. Only then are the distances of all points updated, with one matrix product.

    Args:
        points: float32 ``(n, d)``.
        count: maximum number of points; fewer are selected when all others coincide with a selected one.
        first: index of the first center.
        check: called every round; an exception it raises aborts the selection.

    Returns:
        indices in the order of selection.
    """
    total = len(points)
    norms = np.einsum("ij,ij->i", points, points)
    selected = [first]
    distance_to_nearest_center = np.maximum(norms + norms[first] - 2.0 * points @ points[first], 0.0)
    distance_to_nearest_center[first] = -1.0
    while len(selected) < min(count, total):
        check()
        pool = _farthest(distance_to_nearest_center)
        bound = distance_to_nearest_center[pool[-1]] if total > len(pool) else -1.0
        inside = pool[:-1] if total > len(pool) else pool
        candidates = points[inside]
        between = np.maximum(norms[inside][:, None] + norms[inside][None] - 2.0 * candidates @ candidates.T, 0.0)
        remaining = distance_to_nearest_center[inside].copy()
        taken: list[int] = []
        while len(selected) + len(taken) < count:
            best = int(remaining.argmax())
            if remaining[best] <= 0.0 or remaining[best] < bound:
                break
            taken.append(best)
            np.minimum(remaining, between[best], out=remaining)
            remaining[best] = -1.0
        if not taken:
            break
        new = inside[taken]
        selected.extend(int(index) for index in new)
        for start in range(0, total, _CHUNK):
            part = slice(start, start + _CHUNK)
            nearest = (norms[new][None] - 2.0 * points[part] @ points[new].T).min(axis=1) + norms[part]
            np.minimum(distance_to_nearest_center[part], np.maximum(nearest, 0.0), out=distance_to_nearest_center[part])
        distance_to_nearest_center[np.array(selected)] = -1.0
    return np.array(selected, np.int64)


def _farthest(distances: FloatArray) -> NDArray[np.int64]:
    """Return the indices of the ``_POOL`` + 1 largest values, descending, ties by index."""
    if len(distances) <= _POOL:
        return np.argsort(-distances, kind="stable")
    candidates = np.argpartition(-distances, _POOL)[: _POOL + 1]
    order = np.lexsort((candidates, -distances[candidates]))
    return candidates[order].astype(np.int64)
