"""Parsing of times in the formats of loggers, PLCs and spreadsheets of several countries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

Order = Literal["day", "month"]
"""Which comes first in 03/09/2020."""
Kind = Literal["date", "clock", "both"]

_CLOCK = (
    r"(?P<hour>\d{1,2})(?::|時)(?P<minute>\d{2})(?:(?::|分)(?P<second>\d{2})(?:[.,](?P<part>\d+))?秒?|分)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?P<zone>[zZ]|[+-]\d{2}:?\d{2})?"
)
_DATES = (
    r"(?P<year>\d{4})(?P<sign>[-/])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})",
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日",
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    r"(?P<first>\d{1,2})/(?P<second_part>\d{1,2})/(?P<year>\d{4})",
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{2})",
    r"(?P<first>\d{1,2})/(?P<second_part>\d{1,2})/(?P<year>\d{2})",
    r"(?P<day>\d{1,2})[-. ]\s?(?P<month_name>[A-Za-zä]{3})[a-z]*[-. ]\s?(?P<year>\d{4}|\d{2})",
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"),
        start=1,
    )
    for name in names.split()
}
"""Beginnings of English and German names of months."""
_COMPACT = (
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T _](?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
    r"(?:[.,](?P<part>\d+))?(?P<half>)(?P<zone>[zZ]|[+-]\d{2}:?\d{2})?"
)
_SHORT_YEAR, _THIS_CENTURY = 2, 69
_FORMS = (
    *(re.compile(rf"{date}(?:[T\s]\s?{_CLOCK})?", re.ASCII) for date in _DATES),
    re.compile(_CLOCK, re.ASCII),
    re.compile(_COMPACT, re.ASCII),
)
_LONGEST = 40
_NOON = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """A parsed time.

    Attributes:
        kind: a date, a time of day, or both.
        seconds: since 1970 (UTC without a zone); since midnight for a time of day.
    """

    kind: Kind
    seconds: float


def moment(text: str, order: Order = "day") -> Moment | None:
    """Return the time in a cell; None when it is not a time.

    ISO 8601 (RFC 3339), with slashes for dashes and with single digits, too; 9.3.2020; 09/03/2020; 2020年3月9日
    10時14分33秒; years of two digits, but in ISO 8601; 09-Mar-2020; 20200309 101433; a time of day alone; AM and PM.

    Args:
        text: of the cell.
        order: which comes first in 09/03/2020.
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        return None
    found = next((match for form in _FORMS if (match := form.fullmatch(stripped)) is not None), None)
    if found is None:
        return None
    parts = found.groupdict()
    seconds = 0.0
    if parts["hour"] is not None:
        clock = _clock(parts)
        if clock is None:
            return None
        seconds = clock
    if "year" not in parts:
        return Moment("clock", seconds)
    day, month = _day_and_month(parts, order)
    try:
        date = datetime(_year(parts["year"]), month, day, tzinfo=_zone(parts["zone"]))
    except ValueError:
        return None
    return Moment("both" if parts["hour"] is not None else "date", date.timestamp() + seconds)


def _day_and_month(parts: dict[str, str], order: Order) -> tuple[int, int]:
    """Return day and month of a date; 0 for an unknown name of a month."""
    if "first" in parts:
        pair = int(parts["first"]), int(parts["second_part"])
        return pair if order == "day" else (pair[1], pair[0])
    named = parts.get("month_name")
    return int(parts["day"]), int(parts["month"]) if named is None else _MONTHS.get(named.lower(), 0)


def _year(text: str) -> int:
    """Return the year; of two digits that from 1969 to 2068, as POSIX has it."""
    year = int(text)
    if len(text) > _SHORT_YEAR:
        return year
    return year + (2000 if year < _THIS_CENTURY else 1900)


def is_time(text: str) -> bool:
    """Return whether the cell is a time, with either order of day and month."""
    return moment(text) is not None or moment(text, "month") is not None


def _clock(parts: dict[str, str | None]) -> float | None:
    hour, minute, second = int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0)
    half = (parts["half"] or "").lower()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 60:  # noqa: PLR2004 - of a clock; 60 is a leap second
        return None
    return hour * 3600 + minute * 60 + second + float(f"0.{parts['part'] or 0}")


def _zone(text: str | None) -> timezone:
    """Return the time zone; raises ValueError for an invalid offset."""
    if text is None or text in {"z", "Z"}:
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
