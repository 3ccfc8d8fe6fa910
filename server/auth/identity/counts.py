"""Counts of attempts in the database, where several processes of the server share it; keys are kept as digests."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.database import Database
from models.users import SignInCount

_COUNTS = cast("Table", SignInCount.__table__)
_AT_ONCE = 100


def count_one(session: Session, key: str, expiry: int) -> int:
    """Count one more within a window of time, in the transaction, and return how many there are.

    Args:
        session: the transaction.
        key: of what is counted.
        expiry: seconds of the window, which begins with the first.
    """
    now = utc_now()
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    over = _COUNTS.c.expires_at <= now
    ends = now + timedelta(seconds=expiry)
    statement = insert(_COUNTS).values(key_digest=_digest(key), count=1, expires_at=ends)
    statement = statement.on_conflict_do_update(
        index_elements=[_COUNTS.c.key_digest],
        set_={
            "count": case((over, 1), else_=_COUNTS.c.count + 1),
            "expires_at": case((over, statement.excluded.expires_at), else_=_COUNTS.c.expires_at),
        },
    ).returning(_COUNTS.c.count)
    expired = select(_COUNTS.c.key_digest).where(over).limit(_AT_ONCE).with_for_update(skip_locked=True)
    old = [digest for digest in session.scalars(expired) if digest != _digest(key)]
    if old:
        session.execute(delete(_COUNTS).where(_COUNTS.c.key_digest.in_(old)))
    return int(session.scalars(statement).one())


class DatabaseCounts:
    """Counts within windows of time, the same for every process; the interface is that of ``limits``' storages.

    Args:
        database: of the server.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def incr(self, key: str, expiry: int) -> int:
        """Count one more within the window, which begins with the first, and return how many there are."""
        with self._database.local_transaction() as session:
            return count_one(session, key, expiry)

    def decr(self, key: str) -> None:
        """Take one back."""
        mine = (_COUNTS.c.key_digest == _digest(key)) & (_COUNTS.c.count > 0)
        with self._database.local_transaction() as session:
            session.execute(update(_COUNTS).where(mine).values(count=_COUNTS.c.count - 1))

    def clear(self, key: str) -> None:
        """Forget a count."""
        with self._database.local_transaction() as session:
            session.execute(delete(_COUNTS).where(_COUNTS.c.key_digest == _digest(key)))

    def get_expiry(self, key: str) -> float:
        """Return the Unix time at which the window of a count ends; the present one without a count."""
        with self._database.read() as session:
            ends = session.scalar(select(SignInCount.expires_at).where(SignInCount.key_digest == _digest(key)))
        return (ends or utc_now()).timestamp()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
