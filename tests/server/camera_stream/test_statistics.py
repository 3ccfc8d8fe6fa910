"""The statistics of a stream, by the second."""

from __future__ import annotations

import pytest

from server.camera_stream.statistics import Meter, percentile


def test_rates_are_by_the_second_that_passed() -> None:
    meter = Meter(100.0)
    for _ in range(30):
        meter.came()
    for _ in range(15):
        meter.sent(0.02)
    stats = meter.end_second(102.0)
    assert (stats.fps_in, stats.fps_out) == (15.0, 7.5)


def test_totals_go_on_over_the_seconds() -> None:
    meter = Meter(100.0)
    for moment in (101.0, 102.0):
        meter.came()
        meter.came()
        meter.drop()
        meter.sent(0.01)
        stats = meter.end_second(moment)
    assert (stats.frames_in, stats.frames_out, stats.dropped) == (4, 2, 2)


def test_latencies_are_those_of_the_last_second_alone() -> None:
    meter = Meter(100.0)
    meter.sent(5.0)
    meter.end_second(101.0)
    meter.sent(0.04)
    stats = meter.end_second(102.0)
    assert stats.latency_p95_ms == pytest.approx(40.0)


def test_a_second_without_frames_has_no_latency() -> None:
    stats = Meter(100.0).end_second(101.0)
    assert (stats.fps_out, stats.latency_p50_ms, stats.latency_p95_ms) == (0.0, None, None)


@pytest.mark.parametrize(("rank", "expected"), [(0.0, 1), (0.5, 10), (0.95, 19), (1.0, 20)])
def test_a_percentile_is_a_value_that_was_measured(rank: float, expected: int) -> None:
    assert percentile(list(range(20, 0, -1)), rank) == expected
