"""Counts and shares: escapes, overkill, F1, latency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class Rate(TypedDict):
    """How many of how many; ``rate`` is None when there are none at all."""

    count: int
    total: int
    rate: float | None


def rate(count: int, total: int) -> Rate:
    """Return ``count`` of ``total`` with their ratio."""
    return {"count": count, "total": total, "rate": count / total if total else None}


def f1_score(escapes: Rate, overkill: Rate) -> float | None:
    """Return the harmonic mean of precision and recall of NG; None when nothing is defective nor called so."""
    found = escapes["total"] - escapes["count"]
    whole = 2 * found + overkill["count"] + escapes["count"]
    return 2 * found / whole if whole else None


def percentiles(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return median and 95th percentile as ``{"p50", "p95"}``; None without a value."""
    if not milliseconds:
        return {"p50": None, "p95": None}
    middle, high = np.percentile(np.asarray(milliseconds, np.float64), [50, 95])
    return {"p50": float(middle), "p95": float(high)}
