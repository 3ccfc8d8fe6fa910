"""VUS-PR: ranking metric of anomaly scores of a time series with a tolerance in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


def volume_under_surface(scores: Scores, labels: Labels, longest: int, steps: int = 10) -> float:
    """Return VUS-PR: the area under the range-based precision-recall curve, averaged over tolerances.

    Implemented from the definition in Paparrizos, Boniol, Palpanas, Tsay, Elmore and Franklin: Volume Under the
    Surface, PVLDB 15(11), 2022. Around each anomaly the label decays as ``sqrt(1 - distance / tolerance)`` within half
    the tolerance; true positives are sums of these soft labels, and the recall is multiplied by the share of anomalies
    with at least one detection.

    Args:
        scores: float64 ``(n,)`` of one series in the order of time.
        labels: bool ``(n,)``, at least one True.
        longest: maximum tolerance in rows.
        steps: number of steps between the tolerances 0 and ``longest``.
    """
    tolerances = np.linspace(0, longest, steps + 1).astype(int)
    return float(np.mean([_range_area(scores, labels, int(tolerance)) for tolerance in tolerances]))


def _range_area(scores: Scores, labels: Labels, tolerance: int) -> float:
    soft = _softened(labels, tolerance)
    positives = (labels.sum() + soft.sum()) / 2
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    found = np.cumsum(soft[order])[last_of_tie]
    named = np.flatnonzero(last_of_tie) + 1
    thresholds = scores[order][last_of_tie]
    highest = np.array([scores[part].max() for part in _runs(soft > 0)])
    existence = (highest[None, :] >= thresholds[:, None]).mean(axis=1)
    recall = np.minimum(found / positives, 1.0) * existence
    return float((np.diff(recall, prepend=0.0) * found / named).sum())


def _softened(labels: Labels, tolerance: int) -> NDArray[np.float64]:
    soft = labels.astype(np.float64)
    half = tolerance // 2
    for part in _runs(labels):
        for distance in range(1, half + 1):
            value = np.sqrt(1 - distance / tolerance)
            for place in (part.start - distance, part.stop - 1 + distance):
                if 0 <= place < len(soft):
                    soft[place] = max(soft[place], value)
    return soft


def _runs(true: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]])))
    return [slice(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
