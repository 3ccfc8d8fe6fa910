"""Buckets of tokens: a burst at once, a rate in the long run."""

from __future__ import annotations

from server.camera_stream.archive import ArchiveLimits
from server.camera_stream.rates import TokenBucket


def test_a_burst_passes_at_once() -> None:
    bucket = TokenBucket(per_s=1, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]


def test_tokens_come_back_at_the_rate() -> None:
    bucket = TokenBucket(per_s=2, burst=1)
    assert [bucket.take(moment) for moment in (0.0, 0.4, 0.5, 0.9, 1.0)] == [True, False, True, False, True]


def test_no_more_than_the_burst_is_saved_up() -> None:
    bucket = TokenBucket(per_s=10, burst=2)
    bucket.take(0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_what_is_refused_costs_nothing() -> None:
    bucket = TokenBucket(per_s=1, burst=5)
    assert not bucket.take(0.0, 6)
    assert bucket.take(0.0, 5)


def test_a_line_of_bad_parts_archives_a_few_a_minute() -> None:
    limits = ArchiveLimits(per_minute=12)
    kept = sum(limits.allows("line-1", second / 15) for second in range(15 * 60))
    assert 12 <= kept <= 12 + 5


def test_sources_do_not_share_their_limit() -> None:
    limits = ArchiveLimits(per_minute=0)
    while limits.allows("line-1", 0.0):
        pass
    assert limits.allows("line-2", 0.0)
