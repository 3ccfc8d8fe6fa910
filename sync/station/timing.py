"""When a station acts: waits after failures, and how long it rests while the server says what is new."""

from __future__ import annotations

import secrets
from collections.abc import Callable

_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 60.0
_RANDOM = secrets.SystemRandom()

_RESTED_INTERVALS = 10
_LONGEST_REST_S = 300.0
_SPREAD_S = 3.0
_STEADY_S = 60.0
"""A connection that lasted as long was none that the server ends at once."""
_NOT_OFFERED_S = 1_800.0
"""Until a server that does not say what is new is asked again: it may have been renewed."""


def backoff_s(failures: int, random: Callable[[], float] = _RANDOM.random) -> float:
    """Return the seconds to wait after so many failures in a row: doubled each time, capped, half of it random.

    The jitter keeps many stations from retrying at the same moment.
    """
    longest = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 10))
    return longest * (0.5 + random() / 2)


def intervals_of_rest(interval_s: float) -> int:
    """Return how many intervals a station to which the server says what is new may let pass without a pass.

    Ten at most, and five minutes: a message that got lost costs no more than that.

    Args:
        interval_s: between passes without such a server.
    """
    # Counted, not summed up: ten times 27.3 s, added one by one, can be more than the ten intervals.
    fitting = (count for count in range(2, _RESTED_INTERVALS + 1) if count * interval_s <= _LONGEST_REST_S)
    return max(fitting, default=1)


def rest_s(interval_s: float, *, told: bool) -> float:
    """Return the seconds between two passes: several intervals where the server says what is new."""
    return interval_s * (intervals_of_rest(interval_s) if told else 1)


def spread_s(random: Callable[[], float] = _RANDOM.random) -> float:
    """Return the seconds until a station acts on what all stations hear at one moment."""
    return _SPREAD_S * random()


class Reconnecting:
    """When a station connects again to hear what is new.

    Args:
        random: returns numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float] = _RANDOM.random) -> None:
        self._random = random
        self._failures = 0

    def pause_s(self, *, offered: bool, lasted_s: float) -> float:
        """Return the seconds to wait after a connection has ended or was refused.

        Args:
            offered: whether the server knows such connections; an older one does not.
            lasted_s: how long the connection stood, 0 for none.
        """
        if not offered:
            return _NOT_OFFERED_S * (0.9 + self._random() / 5)
        self._failures = 1 if lasted_s >= _STEADY_S else self._failures + 1
        return backoff_s(self._failures, self._random)
