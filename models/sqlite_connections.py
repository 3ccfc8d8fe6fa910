"""Connections to a SQLite file as the store uses them, also where the disk is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

# docs/sync.md: WAL, so that readers never wait for the writer; FULL, so that a committed part survives a power cut.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
_NO_ROOM = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)


def prepare(connection: sqlite3.Connection) -> None:
    """Make a new connection one of the store: write-ahead log, durable commits, foreign keys, no implicit BEGIN."""
    # The driver's own transaction handling breaks DDL in transactions and BEGIN IMMEDIATE; we send BEGIN ourselves.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def connect_to_read(connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
    """Return a connection that can read even where the disk has no room for the index of the log.

    The index is then held in memory, which keeps everybody else from the file until the connection is closed. A
    station that runs has made the index, so nobody is in the way there.

    Args:
        connect: opens the file.

    Raises:
        sqlite3.Error: when the file cannot be read for another reason.
    """
    connection = connect()
    try:
        prepare(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode not in _NO_ROOM:
            raise
    else:
        return connection
    connection = connect()
    # Before the file is read for the first time: afterwards the index is a file.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
    return connection
