"""Periods of lists and statistics: whole days of UTC, or exact times."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator

from models.errors import InvalidInput
from models.rejections import RejectedValueError
from server.core.periods import Period

_DAY = datetime.timedelta(days=1)
_EARLIEST, _LATEST = (edge.replace(tzinfo=datetime.UTC) for edge in (datetime.datetime.min, datetime.datetime.max))


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
    start_date: Annotated[DayOrTime | None, Query(description="First day (UTC), or the time from which on.")] = None,
    end_date: Annotated[DayOrTime | None, Query(description="Last day (UTC), inclusive, or the time up to.")] = None,
) -> Period:
    """Return the period that a request asks for.

    Raises:
        InvalidInput: ``period-backwards``.
    """
    start = _moment(start_date)
    end = _moment(end_date)
    if end is not None and _is_day(end_date):
        end = end + _DAY if end.date() < datetime.date.max else None
    if start is not None and end is not None and start > end:
        raise InvalidInput("period-backwards")
    return Period(start, end)


def _is_day(given: datetime.datetime | datetime.date | None) -> bool:
    return not isinstance(given, datetime.datetime)


def _moment(given: datetime.datetime | datetime.date | None) -> datetime.datetime | None:
    if given is None:
        return None
    if not isinstance(given, datetime.datetime):
        return datetime.datetime.combine(given, datetime.time.min, datetime.UTC)
    return given


InPeriod = Annotated[Period, Depends(period_query)]
