"""Counts and rates: escapes, overkill, F1, latency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class Rate(TypedDict):
    """A count, its total and their ratio; ``rate`` is None when the total is 0."""

    count: int
    total: int
    rate: float | None


def rate(count: int, total: int) -> Rate:
    """Return ``count`` of ``total`` with their ratio."""
    return {"count": count, "total": total, "rate": count / total if total else None}


def f1_score(escapes: Rate, overkill: Rate) -> float | None:
    """Return the F1 score of NG; None without defective and without rejected images."""
    found = escapes["total"] - escapes["count"]
    whole = 2 * found + overkill["count"] + escapes["count"]
    return 2 * found / whole if whole else None


def percentiles(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return median and 95th percentile as ``p50`` and ``p95``; None without values."""
    if not milliseconds:
        return {"p50": None, "p95": None}
    middle, high = np.percentile(np.asarray(milliseconds, np.float64), [50, 95])
    return {"p50": float(middle), "p95": float(high)}
