"""SQLite's number of commits as one connection sees them, which tells cheaply whether what was read is still true."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection

from models.store_trouble import translated_trouble


class DataVersion:
    """Watches a SQLite file for commits; safe to use from several threads.

    Args:
        engine: of the file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._watching: PoolProxiedConnection | None = None
        self._held: tuple[int, int] | None = None

    def now(self) -> int:
        """Return a number that differs once anybody has committed, this process or another."""
        held = self._held
        if held is not None and held[0] == threading.get_ident():
            return held[1]
        try:
            with self._lock:
                if self._watching is None:
                    # A connection that never writes: SQLite counts the commits of all others.
                    self._watching = self._engine.raw_connection()
                connection: Any = self._watching.driver_connection
                # Read to its end: a statement that is half read would keep the log from being checkpointed.
                [(version,)] = connection.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error:
            with translated_trouble(self._engine.url):
                raise
        return int(version)

    def __enter__(self) -> None:
        """Let this thread see one number until the block ends: all of it happens at the moment of its beginning.

        For the event loop, in a block of some microseconds without ``await``.
        """
        self._held = threading.get_ident(), self.now()

    def __exit__(self, *raised: object) -> None:
        """Look again from now on."""
        del raised
        self._held = None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None
