"""The share of the time that heavy reads may take."""

from __future__ import annotations

import pytest

from server.http.pace import Pace


def test_the_first_work_does_not_rest() -> None:
    assert Pace(0.2, 0.1).rest_s(0.0) == 0.0


def test_a_burst_goes_without_rests() -> None:
    pace = Pace(0.2, 0.1)
    for _ in range(5):
        pace.took(0.02, 1.0)
    assert pace.rest_s(1.0) == pytest.approx(0.0)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_work_without_a_pause_takes_its_share_of_the_time(share: float) -> None:
    pace, now = Pace(share, 0.1), 0.0
    for _ in range(1_000):
        now += pace.rest_s(now) + 0.01
        pace.took(0.01, now)
    assert 1_000 * 0.01 / now == pytest.approx(share, rel=0.1)


def test_a_time_without_work_is_worth_one_burst_alone() -> None:
    pace = Pace(0.2, 0.1)
    for _ in range(6):
        pace.took(0.02, 3_600.0)
    assert pace.rest_s(3_600.0) == pytest.approx(0.1)
