"""When a station connects, acts and rests: decisions without a clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.station.timing import Reconnecting, intervals_of_rest, rest_s, spread_s


def test_a_station_that_is_told_rests_ten_times_as_long() -> None:
    assert rest_s(8.0, told=True) == 80.0


@given(st.floats(0.9, 1.0))
def test_the_spread_of_an_interval_costs_no_interval_of_rest(spread: float) -> None:
    assert intervals_of_rest(30.0 * spread) == 10


def test_a_station_that_is_told_rests_five_minutes_at_most() -> None:
    assert rest_s(60.0, told=True) == 300.0


def test_an_interval_of_hours_is_kept() -> None:
    assert rest_s(7200.0, told=True) == 7200.0


def test_a_station_that_is_not_told_rests_an_interval() -> None:
    assert rest_s(30.0, told=False) == 30.0


@given(st.floats(0, 1))
def test_stations_act_within_three_seconds(chance: float) -> None:
    assert 0 <= spread_s(lambda: chance) <= 3


def test_stations_that_hear_the_same_spread() -> None:
    assert len({round(spread_s(), 6) for _ in range(200)}) > 150


def test_connections_that_end_at_once_are_made_less_often_each_time() -> None:
    reconnecting = Reconnecting(lambda: 1.0)
    pauses = [reconnecting.pause_s(offered=True, lasted_s=0.1) for _ in range(9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_connection_that_stood_long_is_made_again_soon() -> None:
    reconnecting = Reconnecting(lambda: 1.0)
    for _ in range(9):
        reconnecting.pause_s(offered=True, lasted_s=0.0)
    assert reconnecting.pause_s(offered=True, lasted_s=61.0) == 1


def test_a_server_that_offers_no_messages_is_left_alone_for_long() -> None:
    assert 1_600 < Reconnecting().pause_s(offered=False, lasted_s=0.0) < 2_000
