"""The share of the time that heavy reads may take."""

from __future__ import annotations

import math

import pytest

from server.http.pace import Pace

BURST_S, LONGEST_REST_S, ALONE_S = 0.1, 2.0, 1.0


def paced(share: float = 0.2) -> Pace:
    """Return a pace beside others that ask for ever."""
    pace = Pace(share, BURST_S, LONGEST_REST_S, ALONE_S)
    pace.others_ask(math.inf)
    return pace


def share_of(pace: Pace, work_s: float) -> float:
    """Return the share of the time that work takes which begins as soon as it may."""
    now, pieces = 0.0, 1_000
    for _ in range(pieces):
        began = now + pace.rest_s(now)
        now = began + work_s
        pace.took(work_s, began, now)
    return pieces * work_s / now


def test_the_first_work_does_not_rest() -> None:
    assert paced().rest_s(0.0) == 0.0


def test_a_burst_goes_without_rests() -> None:
    pace = paced()
    for _ in range(5):
        pace.took(0.02, 1.0, 1.0)
    assert pace.rest_s(1.0) == pytest.approx(0.0)


@pytest.mark.parametrize("work_s", [0.002, 0.01, 0.04, 0.06, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_work_without_a_pause_takes_its_share_of_the_time(share: float, work_s: float) -> None:
    assert share_of(paced(share), work_s) == pytest.approx(share, rel=0.1)


def test_no_work_rests_longer_than_the_longest_rest() -> None:
    pace = paced()
    pace.took(60.0, 0.0, 60.0)
    assert pace.rest_s(60.0) == pytest.approx(LONGEST_REST_S)


def test_work_that_costs_more_than_the_longest_rest_allows_for_takes_more() -> None:
    assert share_of(paced(), 2.0) == pytest.approx(2.0 / (2.0 + LONGEST_REST_S), rel=0.01)


def test_a_time_without_work_is_worth_one_burst_alone() -> None:
    pace = paced()
    for _ in range(6):
        pace.took(0.02, 3_600.0, 3_600.0)
    assert pace.rest_s(3_600.0) == pytest.approx(0.1)


@pytest.mark.parametrize(("after_s", "rests"), [(0.5, True), (1.5, False)])
def test_work_rests_while_others_have_asked_of_late(after_s: float, *, rests: bool) -> None:
    pace = Pace(0.2, BURST_S, LONGEST_REST_S, ALONE_S)
    pace.others_ask(10.0)
    pace.took(1.0, 9.0, 10.0)
    assert (pace.rest_s(10.0 + after_s) > 0) is rests
