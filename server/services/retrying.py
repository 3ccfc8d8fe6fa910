"""How long to wait before another attempt."""

from __future__ import annotations

_FIRST_S, _FACTOR, _LONGEST_S = 0.1, 2.0, 5.0


def pause_before(attempt: int, share: float) -> float:
    """Return the seconds before an attempt: exponential backoff with full jitter (Brooker 2015).

    Args:
        attempt: number of the attempt that follows, from 1 for the first repetition.
        share: of the longest pause, drawn at random between 0 and 1.
    """
    return float(min(_LONGEST_S, _FIRST_S * _FACTOR ** (attempt - 1)) * share)
