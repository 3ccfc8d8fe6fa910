"""Faults of the database as what they are to a person: locked, full, damaged, not reached."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from models.errors import Unavailable, UserFacingError

_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"
_DISK_FAILING = "disk-failing"
_LEAST_ROOM = 64 * 1024
"""Bytes that SQLite needs to open a store at all: a piece of its log's index (32 KiB), and some pages of the log."""
_TROUBLE: tuple[tuple[str, str], ...] = (
    ("database is locked", "store-locked"),
    ("database table is locked", "store-locked"),
    ("disk is full", "disk-full"),
    ("disk i/o error", _DISK_FAILING),
    ("readonly database", "store-read-only"),
    ("unable to open database file", "store-not-found"),
    ("file is not a database", "store-damaged"),
    ("malformed", "store-damaged"),
    # PostgreSQL, as it refuses a connection; such a refusal carries no code.
    ("too many clients", "database-busy"),
    ("remaining connection slots", "database-busy"),
)


def trouble_of(error: DatabaseError, store: URL) -> UserFacingError | None:
    """Return the user-facing error for a database error; None when the cause is a bug.

    Args:
        error: as the driver gave it.
        store: where it happened. SQLite calls it an I/O error, as if the disk were broken, when there is no room for
            the log or the log's index: the file system of a SQLite file is asked.
    """
    text = str(error.orig).lower()
    for part, code in _TROUBLE:
        if part in text:
            return Unavailable("disk-full" if code == _DISK_FAILING and _has_no_room(store) else code)
    if getattr(error.orig, "sqlstate", None) in {_LOCK_NOT_AVAILABLE, _DEADLOCK}:
        return Unavailable("database-busy")
    if isinstance(error, OperationalError) and error.connection_invalidated:
        return Unavailable("database-unreachable")
    if isinstance(error, OperationalError) and "connect" in text:
        return Unavailable("database-unreachable")
    return None


def _has_no_room(store: URL) -> bool:
    if store.get_backend_name() != "sqlite" or not store.database:
        return False
    try:
        return shutil.disk_usage(Path(store.database).parent).free < _LEAST_ROOM
    except OSError:  # A disk that is gone tells nothing: it is failing.
        return False


@contextmanager
def translated_trouble(store: URL) -> Iterator[None]:
    """Raise the user-facing error in place of database errors that are not bugs; ``store`` as in ``trouble_of``."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("database-busy") from error
    except DatabaseError as error:
        trouble = trouble_of(error, store)
        if trouble is None:
            raise
        raise trouble from error
