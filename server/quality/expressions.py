"""SQL that SQLite and PostgreSQL write differently: the minute of a time, the entries of a JSON list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class utc_minute(FunctionElement[str]):  # noqa: N801 - written like the SQL functions beside it
    """The minute of a time in UTC, as ``YYYY-MM-DD HH:MM``: the days of every time zone are made of whole minutes."""

    type = String()
    inherit_cache = True


@compiles(utc_minute, "sqlite")
def _utc_minute_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    # Times are kept as text in UTC, their first sixteen characters are the minute.
    return f"substr({compiler.process(element.clauses, **options)}, 1, 16)"


@compiles(utc_minute, "postgresql")
def _utc_minute_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"


class json_entries(FunctionElement[Any]):  # noqa: N801
    """The entries of a JSON list, one a row, in the column ``value``."""

    inherit_cache = True


@compiles(json_entries, "sqlite")
def _json_entries_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(json_entries, "postgresql")
def _json_entries_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements({compiler.process(element.clauses, **options)})"


class json_text(FunctionElement[str]):  # noqa: N801
    """The text of a member of a JSON object: ``json_text(column, literal name)``."""

    type = String()
    inherit_cache = True


@compiles(json_text, "sqlite")
def _json_text_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    column, name = element.clauses
    return f"json_extract({compiler.process(column, **options)}, '$.' || {compiler.process(name, **options)})"


@compiles(json_text, "postgresql")
def _json_text_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    column, name = element.clauses
    return f"({compiler.process(column, **options)} ->> {compiler.process(name, **options)})"


def entries_of(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Any:
    """Return the rows of a JSON list as a table with the column ``value``."""
    return json_entries(column).table_valued("value")
