"""Days of the site: the calendar of a time zone, with its changes of the clock."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from server.core.periods import Period

_ONE = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WholeDays:
    """Whole days of the site from ``first`` to ``last``, both included; None has no bound."""

    first: datetime.date | None
    last: datetime.date | None


@dataclass(frozen=True, slots=True)
class SplitPeriod:
    """A period as whole days and what is left at its edges.

    Attributes:
        days: None when the period holds no whole day.
        edges: the rest, at most two parts.
    """

    days: WholeDays | None
    edges: tuple[Period, ...] = field(default=())


def day_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.date:
    """Return the day of a moment at the site."""
    return moment.astimezone(zone).date()


def start_of(day: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    """Return the moment, in UTC, at which a day of the site begins; a midnight that the clock skips counts as passed.

    Raises:
        OverflowError: for a day that UTC has not.
    """
    return datetime.datetime.combine(day, datetime.time.min, zone).astimezone(datetime.UTC)


def split(period: Period, zone: ZoneInfo) -> SplitPeriod:
    """Return a period as whole days of the site, which are counted already, and what is left at its edges."""
    first = None if period.start is None else day_of(period.start, zone)
    if first is not None and period.start is not None and start_of(first, zone) < period.start:
        first += _ONE
    # The day that the end is in is whole only where it begins there.
    last = None if period.end is None else day_of(period.end, zone) - _ONE
    if first is not None and last is not None and first > last:
        return SplitPeriod(None, (period,))
    edges = []
    if first is not None and period.start is not None and (begin := start_of(first, zone)) > period.start:
        edges.append(Period(period.start, begin))
    if last is not None and period.end is not None and (end := start_of(last + _ONE, zone)) < period.end:
        edges.append(Period(end, period.end))
    return SplitPeriod(WholeDays(first, last), tuple(edges))
