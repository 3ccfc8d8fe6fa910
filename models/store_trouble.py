"""Faults of the database as what they are to a person: locked, full, damaged, not reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from models.errors import Unavailable, UserFacingError

_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"
_TROUBLE: tuple[tuple[str, str], ...] = (
    ("database is locked", "store-locked"),
    ("database table is locked", "store-locked"),
    ("disk is full", "disk-full"),
    ("disk i/o error", "disk-failing"),
    ("readonly database", "store-read-only"),
    ("unable to open database file", "store-not-found"),
    ("file is not a database", "store-damaged"),
    ("malformed", "store-damaged"),
    # PostgreSQL, as it refuses a connection; such a refusal carries no code.
    ("too many clients", "database-busy"),
    ("remaining connection slots", "database-busy"),
)


def trouble_of(error: DatabaseError) -> UserFacingError | None:
    """Return the user-facing error for a database error; None when the cause is a bug."""
    text = str(error.orig).lower()
    for part, code in _TROUBLE:
        if part in text:
            return Unavailable(code)
    if getattr(error.orig, "sqlstate", None) in {_LOCK_NOT_AVAILABLE, _DEADLOCK}:
        return Unavailable("database-busy")
    if isinstance(error, OperationalError) and error.connection_invalidated:
        return Unavailable("database-unreachable")
    if isinstance(error, OperationalError) and "connect" in text:
        return Unavailable("database-unreachable")
    return None


@contextmanager
def translated_trouble() -> Iterator[None]:
    """Raise the user-facing error in place of database errors that are not bugs."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("database-busy") from error
    except DatabaseError as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        raise trouble from error
