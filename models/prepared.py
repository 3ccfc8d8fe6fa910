"""Statements that run often: with SQLite they go to its driver, their SQL and types worked out once.

A read by an index with its connection takes 40 µs by SQLAlchemy and 17 µs so, a fifth of a millisecond and half of that
where other work has the processor's caches between two of them (docs/executions.md). The types and the errors
are those of SQLAlchemy; a transaction is begun by none of them: a write outside of one is refused.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Values = Mapping[str, Any]
_Process = Callable[[Any], Any] | None


class Prepared:
    """One statement; safe to use from several threads.

    Args:
        statement: its parameters are named; a row that it gives has every name once.
        columns: that it sets, where its parameters alone name them.
    """

    def __init__(self, statement: Statement, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = tuple(columns)
        self._writes = not isinstance(statement, Select)
        self._made: _Sql | None = None

    def all(self, connection: Connection, values: Values | None = None) -> Sequence[Any]:
        """Return the rows, their columns by name.

        Outside of a transaction SQLite begins none: the statement alone sees one state of the store.

        Raises:
            RuntimeError: when it writes, outside of a transaction.
            sqlalchemy.exc.DBAPIError: as ``Connection.execute``.
        """
        sql = self._for(connection)
        if sql is None:
            return connection.execute(self._statement, values or {}).all()
        return sql.rows(connection, values or {})

    def first(self, connection: Connection, values: Values | None = None) -> Any | None:
        """Return the first row, None without one; see ``all``."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        """Write, once for each of several values, and return how many rows that were in all.

        Raises:
            RuntimeError: outside of a transaction.
            sqlalchemy.exc.DBAPIError: as ``Connection.execute``.
        """
        sql = self._for(connection)
        if sql is None:
            given: Any = values
            return connection.execute(self._statement, given, execution_options={"preserve_rowcount": True}).rowcount
        return sql.write(connection, values)

    def _for(self, connection: Connection) -> _Sql | None:
        if self._writes and not connection.in_transaction():
            raise RuntimeError("a prepared statement writes in a transaction only: the driver of SQLite begins none")
        if connection.dialect.name != "sqlite":
            return None
        if self._made is None:
            self._made = _Sql(self._statement, self._columns, connection.dialect)
        return self._made


def lost_its_transaction(connection: Connection) -> bool:
    """Return whether SQLite has ended a transaction that SQLAlchemy takes for open, as a full disk makes it."""
    driver: Any = connection.connection.driver_connection
    return connection.in_transaction() and not driver.in_transaction


class _Sql:
    """A statement as the driver of SQLite takes it."""

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        if compiled.post_compile_params or compiled.prefetch:
            raise TypeError("a prepared statement has no list of values, and sets no column by a default of its type")
        self._sql = str(compiled)
        self._parameters: list[tuple[str, _Process, bool, Any]] = []
        for name in compiled.positiontup:
            parameter = compiled.binds.get(name)
            process = None if parameter is None else parameter.type.dialect_impl(dialect).bind_processor(dialect)
            given = parameter is not None and parameter.required
            constant = None if given else _processed(process, compiled.params[name])
            self._parameters.append((name, process, given or name in columns, constant))
        selected = list(statement.exported_columns) if hasattr(statement, "exported_columns") else []
        self._row: Callable[..., Any] = _row_type([str(column.key) for column in selected])
        self._processes: list[_Process] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected
        ]

    def rows(self, connection: Connection, values: Values) -> list[Any]:
        driver: Any = connection.connection.driver_connection
        try:
            found = driver.execute(self._sql, self._bound(values)).fetchall()
        except sqlite3.Error as error:
            self._raise(connection, error)
        row, processes = self._row, self._processes
        return [
            row(*[value if process is None else process(value) for process, value in zip(processes, one, strict=True)])
            for one in found
        ]

    def write(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        driver: Any = connection.connection.driver_connection
        try:
            if isinstance(values, Mapping):
                cursor = driver.execute(self._sql, self._bound(values))
            else:
                cursor = driver.executemany(self._sql, [self._bound(one) for one in values])
            written: int = cursor.rowcount
            cursor.close()
        except sqlite3.Error as error:
            self._raise(connection, error)
        return written

    def _bound(self, values: Values) -> list[Any]:
        return [
            constant if not given else values[name] if process is None else process(values[name])
            for name, process, given, constant in self._parameters
        ]

    def _raise(self, connection: Connection, error: sqlite3.Error) -> NoReturn:
        lost = lost_its_transaction(connection)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            self._sql, None, error, sqlite3.Error, hide_parameters=True, connection_invalidated=lost
        ) from error


def _row_type(names: Sequence[str]) -> Callable[..., Any]:
    made: Callable[..., Any] = namedtuple("PreparedRow", names)  # type: ignore[misc] # the names are data
    return made


def _processed(process: _Process, value: Any) -> Any:
    return value if process is None else process(value)
