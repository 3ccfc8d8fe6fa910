"""Failed sign-ins are counted together by the processes that share a database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.clock import utc_now
from models.database import Database
from models.errors import TooManyRequests
from models.users import SignInCount
from server.auth.identity.counts import DatabaseCounts
from server.auth.identity.rate_limit import SignInLimiter
from server.context import ServerContext

HERE = "192.0.2.1"


@pytest.fixture
def database(context: ServerContext) -> Database:
    return context.database


def test_failures_at_two_processes_count_together(database: Database) -> None:
    one, other = (SignInLimiter(2, DatabaseCounts(database)) for _ in range(2))
    one.user("boss", HERE)
    other.user("boss", HERE)
    with pytest.raises(TooManyRequests) as refusal:
        one.user("boss", HERE)
    assert 1 <= int(str(refusal.value.members["retry_after"])) <= 60


def test_a_right_sign_in_forgets_the_failures_before_it(database: Database) -> None:
    limiter = SignInLimiter(2, DatabaseCounts(database))
    limiter.user("boss", HERE)
    limiter.user("boss", HERE).succeeded()
    limiter.user("boss", HERE)
    limiter.user("boss", HERE)


def test_attempts_at_once_are_all_counted(database: Database) -> None:
    counts = DatabaseCounts(database)
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(lambda _: counts.incr("key", 60), range(12)))
    assert sorted(seen) == list(range(1, 13))


def test_a_window_that_is_over_counts_anew(database: Database) -> None:
    counts = DatabaseCounts(database)
    counts.incr("key", 60)
    counts.incr("key", 60)
    with database.local_transaction() as session:
        session.execute(update(SignInCount).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert counts.incr("key", 60) == 1


def test_what_is_counted_is_kept_as_a_digest(database: Database) -> None:
    SignInLimiter(2, DatabaseCounts(database)).user("boss", HERE)
    with database.read() as session:
        keys = session.scalars(select(SignInCount.key_digest)).all()
    assert len(keys) == 3
    assert not any("boss" in key or HERE in key for key in keys)
