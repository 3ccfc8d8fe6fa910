"""A SQLite store with the newest schema: built once in each process of a test run, copied for each test."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from models.database import Database


@cache
def newest_store() -> bytes:
    """Return the file of an empty store with the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.sqlite3"
        database = Database.at(path)
        database.migrate()
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return path.read_bytes()
