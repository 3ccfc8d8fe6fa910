"""How old a frame may be: two periods of its stream."""

from __future__ import annotations

import pytest

from server.camera_stream.pace import FIRST_PERIOD_S, Pace


def arrivals(pace: Pace, *moments: float) -> None:
    for moment in moments:
        pace.arrived(moment, 0)


def test_the_period_is_that_of_the_arrivals() -> None:
    pace = Pace()
    arrivals(pace, 10.0, 10.1, 10.2, 10.3)
    assert pace.period_s == pytest.approx(0.1)


def test_one_late_frame_does_not_change_the_period() -> None:
    pace = Pace()
    arrivals(pace, 10.0, 10.1, 10.2, 15.0, 15.1, 15.2)
    assert pace.period_s == pytest.approx(0.1)


def test_a_claimed_rate_is_the_period_whatever_arrives() -> None:
    pace = Pace(fps=25)
    arrivals(pace, 10.0, 12.0, 14.0)
    assert pace.period_s == pytest.approx(0.04)


def test_the_first_frame_may_be_old_for_two_assumed_periods() -> None:
    pace = Pace()
    arrivals(pace, 10.0)
    assert not pace.is_out_of_date(10.0, 10.0 + 2 * FIRST_PERIOD_S)
    assert pace.is_out_of_date(10.0, 10.01 + 2 * FIRST_PERIOD_S)


def test_a_pipeline_slower_than_its_camera_sets_the_period() -> None:
    pace = Pace(fps=30)
    pace.took(0.5)
    assert pace.period_s == pytest.approx(0.5)


def test_a_frame_of_exactly_two_periods_is_not_out_of_date() -> None:
    pace = Pace(fps=4)
    assert not pace.is_out_of_date(8.0, 8.5)
    assert pace.is_out_of_date(8.0, 8.501)


def test_a_frame_delayed_on_its_way_is_as_old_as_its_capture_says() -> None:
    pace = Pace()
    pace.arrived(10.0, 500_000)
    pace.arrived(10.1, 500_100)
    assert pace.arrived(13.0, 500_200) == pytest.approx(10.2)


def test_a_source_whose_clock_is_set_back_is_not_taken_for_late() -> None:
    pace = Pace()
    pace.arrived(10.0, 7_200_000)
    assert pace.arrived(10.1, 3_600_100) == pytest.approx(10.1)


def test_a_frame_without_a_time_is_as_old_as_its_arrival() -> None:
    assert Pace().arrived(10.0, 0) == 10.0
