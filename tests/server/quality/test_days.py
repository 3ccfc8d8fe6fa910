"""Days of the site: their bounds where clocks change, and which of them statistics show."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.periods import Period
from server.core.site_time import day_of, split, start_of
from server.quality.days import recent, shown_days

TOKYO, SAO_PAULO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (TOKYO, date(2026, 3, 1), 24),
        (NEW_YORK, date(2026, 3, 8), 23),
        (NEW_YORK, date(2026, 11, 1), 25),
        (SAO_PAULO, date(2018, 11, 4), 23),  # its midnight was skipped
    ],
)
def test_a_day_lasts_as_long_as_its_clock_says(zone: ZoneInfo, day: date, hours: int) -> None:
    begin, end = start_of(day, zone), start_of(day + timedelta(days=1), zone)
    assert end - begin == timedelta(hours=hours)
    assert (day_of(begin, zone), day_of(end - timedelta(milliseconds=1), zone)) == (day, day)


@given(
    zone=st.sampled_from([TOKYO, SAO_PAULO, NEW_YORK, ZoneInfo("Asia/Kathmandu")]),
    start=st.datetimes(datetime(2018, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    length=st.timedeltas(timedelta(0), timedelta(days=5)),
)
def test_the_parts_of_a_period_are_the_period(zone: ZoneInfo, start: datetime, length: timedelta) -> None:
    parts = split(Period(start, start + length), zone)
    pieces = [(edge.start, edge.end) for edge in parts.edges]
    if parts.days is not None and parts.days.first is not None and parts.days.last is not None:
        pieces.append((start_of(parts.days.first, zone), start_of(parts.days.last + timedelta(days=1), zone)))
    pieces = sorted(piece for piece in pieces if piece[0] != piece[1])
    assert sum((end - begin for begin, end in pieces), timedelta()) == length
    assert all(one[1] == other[0] for one, other in pairwise(pieces))


def test_days_without_inspections_are_shown_too() -> None:
    days = shown_days(["2026-03-02", "2026-03-05"], Period(None, None), TOKYO, NOW)
    assert [day.day for day in days] == [2, 3, 4, 5]


def test_days_that_have_not_come_are_not_shown() -> None:
    period = Period(start_of(date(2026, 3, 9), TOKYO), start_of(date(2026, 4, 1), TOKYO))
    assert [day.day for day in shown_days([], period, TOKYO, NOW)] == [9, 10]


def test_a_long_period_is_shown_without_its_empty_days() -> None:
    assert len(shown_days(["2020-01-01", "2026-01-01"], Period(None, None), TOKYO, NOW)) == 2


def test_without_a_period_the_last_days_are_looked_at() -> None:
    assert recent(Period(None, None), TOKYO, NOW) == Period(start_of(date(2026, 2, 9), TOKYO), None)
