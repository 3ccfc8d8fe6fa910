"""What locks whom at sign-in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from limits.storage import MemoryStorage

from models.errors import TooManyRequests
from server.auth.identity.rate_limit import SignInLimiter, site_of

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def failures(attempt: Callable[[int], object], most: int = 1_000) -> int:
    """Return how many attempts are counted before one is refused."""
    for number in range(most):
        try:
            attempt(number)
        except TooManyRequests:
            return number
    return most


def test_failures_at_one_address_lock_the_name_there_alone() -> None:
    limiter = SignInLimiter(3)
    assert failures(lambda _: limiter.user("boss", HERE)) == 3
    assert failures(lambda _: limiter.user("boss", ELSEWHERE)) == 3
    assert failures(lambda _: limiter.user("other", HERE)) == 3


def test_guessing_spread_over_addresses_locks_the_name_everywhere() -> None:
    limiter = SignInLimiter(3)
    assert failures(lambda number: limiter.user("boss", f"10.0.0.{number}")) == 30


def test_failures_for_many_names_lock_the_address() -> None:
    limiter = SignInLimiter(3)
    assert failures(lambda number: limiter.user(f"user-{number}", HERE)) == 30
    assert failures(lambda number: limiter.user(f"user-{number}", ELSEWHERE)) == 30


def test_stations_are_counted_apart_from_users() -> None:
    limiter = SignInLimiter(3)
    assert failures(lambda _: limiter.user("x", HERE)) == 3
    assert failures(lambda _: limiter.device("x", HERE)) == 3
    assert failures(lambda _: limiter.enrolment(HERE)) == 3


def test_a_station_is_not_locked_from_elsewhere() -> None:
    limiter = SignInLimiter(3)
    for number in range(20):
        failures(lambda _, number=number: limiter.device("x", f"10.0.0.{number}"))  # type: ignore[misc]
    limiter.device("x", HERE).succeeded()


def test_right_attempts_count_nowhere() -> None:
    limiter = SignInLimiter(3)
    assert failures(lambda _: limiter.user("boss", HERE).succeeded()) == 1_000
    assert failures(lambda number: limiter.user(f"user-{number}", HERE)) == 30


def test_a_refused_attempt_costs_no_other_limit() -> None:
    limiter = SignInLimiter(3)
    failures(lambda _: limiter.user("boss", HERE))
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            limiter.user("boss", HERE)
    assert failures(lambda number: limiter.user(f"user-{number}", HERE)) == 27


def test_made_up_names_leave_no_counts_once_the_address_is_locked() -> None:
    counts = MemoryStorage()
    limiter = SignInLimiter(1, counts)
    failures(lambda number: limiter.user(f"user-{number}", HERE))
    before = len(counts.storage)
    for number in range(100):
        with pytest.raises(TooManyRequests):
            limiter.user(f"other-{number}", HERE)
    assert len(counts.storage) == before


def test_the_refusal_says_how_long_to_wait() -> None:
    limiter = SignInLimiter(1)
    limiter.user("boss", HERE)
    with pytest.raises(TooManyRequests) as refusal:
        limiter.user("boss", HERE)
    assert 1 <= int(str(refusal.value.members["retry_after"])) <= 60


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_stands_for_its_site(address: str, site: str) -> None:
    assert site_of(address) == site
