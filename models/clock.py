"""Time: UTC with milliseconds, and a hybrid logical clock that orders changes when wall clocks are wrong.

The hybrid logical clock follows Kulkarni et al., "Logical Physical Clocks and Consistent Snapshots" (2014). Its text
form is ``<ms:013d>-<counter:04x>-<device>``, so stamps compare as strings.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_FORM = re.compile(r"(?P<ms>[0-9]{13})-(?P<counter>[0-9a-f]{4})-(?P<device>[A-Za-z0-9-]{1,64})")
_COUNTER_LIMIT = 0xFFFF


def utc_now() -> datetime:
    """Return the present time, aware, in UTC, cut to whole milliseconds (what travels is what is stored)."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC with milliseconds, for example ``2025-07-27T10:30:00.000Z``."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Return the aware UTC time of an RFC 3339 text, cut to milliseconds.

    Raises:
        ValueError: when the text is no RFC 3339 date-time, has no offset, or no calendar has that time in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def wall_milliseconds() -> int:
    """Return the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """One reading of a hybrid logical clock; ordered by time, counter, device."""

    milliseconds: int
    counter: int
    device: str

    def __str__(self) -> str:
        return f"{self.milliseconds:013d}-{self.counter:04x}-{self.device}"

    @classmethod
    def parse(cls, text: str) -> Stamp:
        """Read the text form.

        Raises:
            ValueError: when it is not of that form.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no clock stamp")
        return cls(int(match["ms"]), int(match["counter"], 16), match["device"])


class HybridLogicalClock:
    """A clock that never goes back, whatever the wall clock does; safe to use from several threads.

    Args:
        device: id of this station or server; part of every stamp, so two clocks never give the same one.
        last: the newest stamp this store has ever held, so that a restart does not go back.
        wall: source of milliseconds since 1970.
    """

    def __init__(self, device: str, last: Stamp | None = None, wall: Callable[[], int] = wall_milliseconds) -> None:
        self.device = device
        self._wall = wall
        self._milliseconds = last.milliseconds if last else 0
        self._counter = last.counter if last else 0
        self._lock = threading.Lock()

    def now(self) -> Stamp:
        """Return a stamp newer than every stamp given or observed before."""
        with self._lock:
            self._advance(self._wall())
            return Stamp(self._milliseconds, self._counter, self.device)

    def observe(self, stamp: Stamp) -> None:
        """Learn of a stamp made elsewhere, so that stamps made here from now on are newer than it."""
        with self._lock:
            seen = (stamp.milliseconds, stamp.counter)
            self._milliseconds, self._counter = max((self._milliseconds, self._counter), seen)

    def _advance(self, wall: int) -> None:
        if wall > self._milliseconds:
            self._milliseconds, self._counter = wall, 0
        elif self._counter < _COUNTER_LIMIT:
            self._counter += 1
        else:
            self._milliseconds, self._counter = self._milliseconds + 1, 0
