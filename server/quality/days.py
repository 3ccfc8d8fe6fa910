"""Which days statistics show, and which they look at when nobody says; pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from server.core.periods import Period
from server.core.site_time import day_of, start_of

_MOST_SHOWN = 1_100
"""Longer periods, some three years, are shown without their empty days."""
_RECENT = 30
_ONE = datetime.timedelta(days=1)


def shown_days(counted: Sequence[str], period: Period, zone: ZoneInfo, now: datetime.datetime) -> list[datetime.date]:
    """Return the days from the first to the last of a period, also those on which nothing was completed.

    Without a bound, and beyond today, the days that have something are the bound.

    Args:
        counted: the days that have something, as ``YYYY-MM-DD``.
        period: that was asked for.
        zone: of the site.
        now: the present.
    """
    having = sorted(datetime.date.fromisoformat(day) for day in counted)
    today = day_of(now, zone)
    firsts = having[:1] if period.start is None else [day_of(period.start, zone)]
    lasts = having[-1:] if period.end is None else [min(_last_day(period.end, zone), max([today, *having[-1:]]))]
    if not firsts or not lasts or (lasts[0] - firsts[0]).days >= _MOST_SHOWN:
        return having
    return [firsts[0] + _ONE * number for number in range((lasts[0] - firsts[0]).days + 1)]


def recent(period: Period, zone: ZoneInfo, now: datetime.datetime, days: int = _RECENT) -> Period:
    """Return a period, or when it has no start the last days before its end, today included."""
    if period.start is not None:
        return period
    last = day_of(now, zone) if period.end is None else _last_day(period.end, zone)
    return Period(start_of(last - _ONE * (days - 1), zone), period.end)


def _last_day(end: datetime.datetime, zone: ZoneInfo) -> datetime.date:
    """Return the last day of which a period that ends at ``end``, without it, has some part."""
    return day_of(end - datetime.timedelta(microseconds=1), zone)
