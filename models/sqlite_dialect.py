"""SQLite as a store is opened: a transaction begins with the write lock, one that only reads without it.

A listener to SQLAlchemy's ``begin`` would do the same, but makes every statement look for listeners to itself.
"""

from __future__ import annotations

import sqlite3
from typing import Any, ClassVar

from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.characteristics import ConnectionCharacteristic
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect

READ_ONLY = "imageflow_read_only"
"""Execution option of a connection whose transactions only read; other engines do not look at it."""
_DRIVER = "imageflow"


class StoreConnection(sqlite3.Connection):
    """A connection of the driver.

    Attributes:
        read_only: whether its next transactions begin without the write lock.
    """

    read_only = False


class _ReadOnly(ConnectionCharacteristic):
    """Takes the option over to the driver's connection until that goes back to the pool."""

    transactional: ClassVar[bool] = True

    def reset_characteristic(self, dialect: Dialect, dbapi_conn: DBAPIConnection) -> None:
        """Let transactions begin with the write lock."""
        self.set_characteristic(dialect, dbapi_conn, value=False)

    def set_characteristic(self, dialect: Dialect, dbapi_conn: DBAPIConnection, value: Any) -> None:
        """Set how transactions begin."""
        del dialect
        dbapi_conn.read_only = value

    def get_characteristic(self, dialect: Dialect, dbapi_conn: DBAPIConnection) -> bool:
        """Return whether transactions begin without the write lock."""
        del dialect
        return bool(dbapi_conn.read_only)


class StoreDialect(SQLiteDialect_pysqlite):
    """The dialect; its connections are ``StoreConnection``."""

    driver = _DRIVER
    supports_statement_cache = True
    connection_characteristics = SQLiteDialect_pysqlite.connection_characteristics.union({READ_ONLY: _ReadOnly()})

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction."""
        dbapi_connection.execute("BEGIN" if dbapi_connection.read_only else "BEGIN IMMEDIATE").close()


def of_store(url: URL) -> URL:
    """Return the URL of a SQLite file for ``create_engine`` with this dialect."""
    return url.set(drivername=f"{url.get_backend_name()}+{_DRIVER}")


registry.register(f"sqlite.{_DRIVER}", __name__, StoreDialect.__name__)
