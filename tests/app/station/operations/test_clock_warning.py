"""What a station says of its own clock."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.station.operations.sync_status import clock_warning


def station(ahead_s: float | None, *, enrolled: bool = True) -> Any:
    """A station whose clock is ahead of its server's."""
    link = SimpleNamespace(client=SimpleNamespace(clock_ahead_s=ahead_s))
    return SimpleNamespace(enrolled=enrolled, link=link)


@pytest.mark.parametrize(
    ("ahead_s", "code", "minutes"), [(86_400, "station-clock-ahead", 1440), (-3_600, "station-clock-behind", 60)]
)
def test_a_clock_that_is_wrong_is_reported_with_its_difference(ahead_s: float, code: str, minutes: int) -> None:
    found = clock_warning(station(ahead_s))
    assert found is not None
    assert (found.code, found.values) == (code, {"minutes": minutes})


@pytest.mark.parametrize("ahead_s", [None, 0.0, 290.0, -290.0])
def test_a_clock_within_five_minutes_is_not_reported(ahead_s: float | None) -> None:
    assert clock_warning(station(ahead_s)) is None


def test_a_station_without_a_server_has_no_clock_to_compare_with() -> None:
    assert clock_warning(station(86_400, enrolled=False)) is None
