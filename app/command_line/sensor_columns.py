"""How the commands read tables: what is known of a file, what was assumed, which columns a sensor model uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from inspection.sensor import SensorTable, TableForm
    from inspection.sensor.table.form import Assumption


def table_form(encoding: str, decimal: str | None, skip_lines: int | None, missing: Sequence[str] | None) -> TableForm:
    """Return the form of a table from the options.

    Raises:
        typer.BadParameter: for an unknown character set or decimal sign.
    """
    from inspection.sensor import TableForm
    from models.encodings import is_known_encoding

    if encoding and not is_known_encoding(encoding):
        raise typer.BadParameter(f"there is no character set {encoding!r}", param_hint="--encoding")
    signs: dict[str | None, Literal[".", ","] | None] = {None: None, ".": ".", ",": ","}
    if decimal not in signs:
        raise typer.BadParameter("is . or ,", param_hint="--decimal")
    return TableForm(encoding=encoding, decimal=signs[decimal], skip_lines=skip_lines, missing=tuple(missing or ()))


def warn_assumptions(assumptions: Iterable[Assumption]) -> None:
    """Report on stderr what was assumed about a table, and what of it was left out."""
    from app.command_line import warn

    for found in assumptions:
        warn(found.code, **found.values)


def assumptions_as_json(assumptions: Iterable[Assumption]) -> list[dict[str, object]]:
    """Return what was assumed about a table as JSON values: code, and the values of its text."""
    return [{"code": found.code, **found.values} for found in assumptions]


def rows_of(table: SensorTable, columns: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the values of a table in the order of a model's columns, float64 ``(n, len(columns))``.

    By their names where the table has all of them; by their order where the names of the one or the other were only
    numbered, for want of a header.

    Raises:
        InvalidInput: ``sensor-column-unknown`` for a column the table has not, ``sensor-wrong-length`` where the order
            decides and there are more or fewer.
    """
    from models.errors import InvalidInput

    missing = [name for name in columns if name not in table.columns]
    if not missing:
        return table.values[:, [table.columns.index(name) for name in columns]]
    if not (_numbered(table.columns) or _numbered(columns)):
        raise InvalidInput("sensor-column-unknown", column=missing[0], known=", ".join(table.columns))
    if len(table.columns) != len(columns):
        raise InvalidInput("sensor-wrong-length", given=len(table.columns), expected=len(columns))
    return table.values


def _numbered(names: tuple[str, ...]) -> bool:
    """Return whether names are those a table without a header is given."""
    from inspection.sensor.table.dialect import column_names
    from inspection.sensor.table.reading import MAX_COLUMNS

    return set(names) <= set(column_names(None, MAX_COLUMNS))


def warn_columns(table: SensorTable, columns: tuple[str, ...]) -> None:
    """Warn of the columns of a table that a model of ``columns`` does not use, and of those taken by their order."""
    from app.command_line import warn

    if not set(columns) <= set(table.columns):
        pairs = ", ".join(f"{name} = {given}" for name, given in zip(columns, table.columns, strict=True))
        warn("sensor-columns-by-order", columns=pairs)
    unused = [*table.left_out, *_beside(table.columns, columns)]
    if unused:
        warn("sensor-columns-unused", columns=", ".join(unused))


def _beside(names: tuple[str, ...], columns: tuple[str, ...]) -> list[str]:
    """Return the columns of a table that go by their names and are none of the model's."""
    return [name for name in names if name not in columns] if set(columns) <= set(names) else []
