"""Periods of lists and statistics: whole days of the site's time zone, or exact times."""

from __future__ import annotations

import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import BeforeValidator

from models.errors import InvalidInput
from models.rejections import RejectedValueError
from server.core.periods import Period
from server.core.site_time import start_of
from server.http.dependencies import Context

_DAY = datetime.timedelta(days=1)
_EARLIEST, _LATEST = (edge.replace(tzinfo=datetime.UTC) for edge in (datetime.datetime.min, datetime.datetime.max))
_FIRST, _LAST = _EARLIEST + 2 * _DAY, _LATEST - 2 * _DAY
"""Bounds that every time zone can say; nothing was completed beyond them."""


def day_or_time(given: object) -> object:
    """Keep a day apart from the midnight it begins with, and refuse times that UTC has not.

    Pydantic would make a midnight of a day, and a time of a number.

    Raises:
        RejectedValueError: ``value-day-form`` or ``value-time-out-of-range``.
    """
    if not isinstance(given, str):
        return given
    try:
        if len(given) == len("2025-07-27"):
            return datetime.date.fromisoformat(given)
        moment = datetime.datetime.fromisoformat(given)
    except ValueError as error:
        raise RejectedValueError("value-day-form") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    if not _EARLIEST <= moment <= _LATEST:
        raise RejectedValueError("value-time-out-of-range")
    return moment.astimezone(datetime.UTC)


DayOrTime = Annotated[datetime.datetime | datetime.date, BeforeValidator(day_or_time)]


async def period_query(
    context: Context,
    start_date: Annotated[DayOrTime | None, Query(description="First day (site), or the time from which on.")] = None,
    end_date: Annotated[DayOrTime | None, Query(description="Last day (site), inclusive, or the time up to.")] = None,
) -> Period:
    """Return the period that a request asks for.

    Raises:
        InvalidInput: ``period-backwards``.
    """
    zone = context.settings.zone
    start = _moment(start_date, zone)
    end = _moment(end_date, zone, days=1)
    if start is not None and end is not None and start > end:
        raise InvalidInput("period-backwards")
    return Period(start, end)


def _moment(given: datetime.datetime | datetime.date | None, zone: ZoneInfo, days: int = 0) -> datetime.datetime | None:
    """Return a time, or the beginning of a day; ``days`` later where a day is given."""
    if given is None:
        return None
    if not isinstance(given, datetime.datetime):
        within = min(max(given, _FIRST.date()), _LAST.date())
        given = start_of(within + days * _DAY, zone)
    return min(max(given, _FIRST), _LAST)


InPeriod = Annotated[Period, Depends(period_query)]
