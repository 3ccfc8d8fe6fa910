"""The hybrid logical clock never goes back, whatever the wall clock does."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import HybridLogicalClock, Stamp, parse_rfc3339, rfc3339
from tests.support.errors import raised_in

WALLS = st.lists(st.integers(0, 10**13 - 10**6), min_size=1, max_size=30)
STAMPS = st.builds(
    Stamp, st.integers(0, 10**13 - 10**6), st.integers(0, 0xFFFF), st.sampled_from(["a", "b-1", "server"])
)


@given(WALLS, st.lists(STAMPS, max_size=10))
@settings(deadline=None)
def test_every_stamp_is_newer_than_all_before_it(walls, seen):
    times = iter(walls * 2)
    clock = HybridLogicalClock("a", wall=lambda: next(times, walls[-1]))
    last = None
    for number in range(len(walls)):
        if number < len(seen):
            clock.observe(seen[number])
            last = max(last, seen[number]) if last else seen[number]
        now = clock.now()
        if last is not None:
            assert (now.milliseconds, now.counter) > (last.milliseconds, last.counter)
        last = now


@given(st.lists(STAMPS, min_size=2, max_size=2))
@settings(deadline=None)
def test_stamps_compare_as_texts_as_they_compare_as_times(pair):
    first, second = pair
    if first.device == second.device or (first.milliseconds, first.counter) != (second.milliseconds, second.counter):
        assert (first < second) == (str(first) < str(second))


@given(STAMPS)
@settings(deadline=None)
def test_a_stamp_reads_back_as_it_was_written(stamp):
    assert Stamp.parse(str(stamp)) == stamp


def test_a_clock_that_goes_on_from_a_kept_stamp_does_not_go_back_after_a_restart():
    kept = HybridLogicalClock("a", wall=lambda: 5_000_000).now()
    assert HybridLogicalClock("a", kept, wall=lambda: 1_000).now() > kept


def test_a_full_counter_moves_to_the_next_millisecond():
    clock = HybridLogicalClock("a", Stamp(7, 0xFFFF, "a"), wall=lambda: 7)
    assert clock.now() == Stamp(8, 0, "a")


def test_threads_never_get_the_same_stamp():
    clock = HybridLogicalClock("a", wall=lambda: 1)
    found: list[Stamp] = []

    def take() -> None:
        found.extend([clock.now() for _ in range(500)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 2000


@pytest.mark.parametrize("text", ["2025-07-27T10:30:00", "yesterday", "2025-13-01T00:00:00Z"])
def test_a_time_without_offset_or_sense_is_refused(text):
    with pytest.raises(ValueError, check=raised_in(parse_rfc3339)):
        parse_rfc3339(text)


def test_a_time_is_kept_to_the_millisecond_in_utc():
    assert rfc3339(parse_rfc3339("2025-07-27T19:30:00.123987+09:00")) == "2025-07-27T10:30:00.123Z"
