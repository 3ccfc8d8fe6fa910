"""Tables of sensor values: CSV files as loggers, PLCs and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor import dialect
from inspection.sensor.cells import (
    has_decimal_comma,
    has_decimal_point,
    is_missing,
    looks_like_thousands,
    number,
    seconds,
)
from inspection.sensor.dialect import Line
from models.errors import InvalidInput, TooLarge

MOST_BYTES = 128 * 2**20
MOST_ROWS = 2_000_000
MOST_COLUMNS = 512
MOST_CELLS = 20_000_000
_LOOKED_AT = 50
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class SensorTable:
    """Measured values, one row an instant, one column a sensor.

    Attributes:
        columns: names of the sensors.
        values: float64 ``(rows, columns)``; NaN where a value is missing.
        lines: int64 ``(rows,)``, the line of the file each row stands on, from 1.
        seconds: float64 ``(rows,)`` since 1970 where a column holds times, else None; NaN where one is missing.
        left_out: names of the columns that are no sensors: times, and those that were to be left out.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    lines: NDArray[np.int64]
    seconds: NDArray[np.float64] | None
    left_out: tuple[str, ...]


def read_table(path: Path, leave_out: Sequence[str] = ()) -> SensorTable:
    """Read a CSV file of numbers.

    Args:
        path: the file.
        leave_out: names of columns that are no sensors (labels, counters).

    Raises:
        InvalidInput: ``file-missing``, ``sensor-file-not-readable`` and what ``parse_table`` raises.
        TooLarge: ``sensor-file-too-large``.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _too_large(path.name, size)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("sensor-file-not-readable", name=path.name, reason=error.strerror or str(error)) from error
    return parse_table(data, path.name, leave_out)


def parse_table(data: bytes, name: str, leave_out: Sequence[str] = ()) -> SensorTable:
    """Read a table of numbers from the bytes of a CSV file.

    The header is optional. The delimiter is ``,``, ``;`` or a tab. A comma is the decimal sign where no number of the
    file has a point and the commas cannot part thousands. A column of times is recognised and left out of the values.

    Raises:
        InvalidInput: naming line and column of what is wrong: ``sensor-file-not-text``, ``sensor-file-empty``,
            ``sensor-file-line``, ``sensor-file-uneven``, ``sensor-file-cell``, ``sensor-file-decimal``,
            ``sensor-file-without-sensors``, ``sensor-column-unknown``.
        TooLarge: ``sensor-file-too-large``, ``sensor-file-too-many``.
    """
    if len(data) > MOST_BYTES:
        raise _too_large(name, len(data))
    text = dialect.decode(data, name)
    lines = _limited(dialect.read_lines(text, dialect.find_delimiter(text)), name)
    header = lines[0][1] if dialect.is_header(lines[0][1]) else None
    names = dialect.column_names(header, len(lines[0][1]))
    rows = lines[1:] if header is not None else lines
    if not rows:
        raise InvalidInput("sensor-file-empty", name=name)
    _require_even(lines, name)
    unknown = next((column for column in leave_out if column not in names), None)
    if unknown is not None:
        raise InvalidInput("sensor-column-unknown", column=unknown, known=", ".join(names))
    times = next((place for place in range(len(names)) if _holds_times(rows, place)), None)
    kept = [place for place in range(len(names)) if place != times and names[place] not in leave_out]
    if not kept:
        raise InvalidInput("sensor-file-without-sensors", name=name)
    comma = _decimal_comma(rows, kept, names, name)
    values = np.empty((len(rows), len(kept)), np.float64)
    for place, column in enumerate(kept):
        values[:, place] = _column(rows, column, names[column], name, decimal_comma=comma)
    return SensorTable(
        columns=tuple(names[place] for place in kept),
        values=values,
        lines=np.array([line for line, _ in rows], np.int64),
        seconds=None if times is None else _times(rows, times, names[times], name),
        left_out=tuple(names[place] for place in range(len(names)) if place not in kept),
    )


def _limited(source: Iterator[Line], name: str) -> list[Line]:
    """Return the lines, refusing at the first one too many: a small file of commas makes a large table."""
    lines: list[Line] = []
    cells = 0
    for line, row in source:
        lines.append((line, row))
        cells += len(row)
        if len(lines) > MOST_ROWS + 1 or len(row) > MOST_COLUMNS or cells > MOST_CELLS:
            raise TooLarge(
                "sensor-file-too-many", name=name, row=line, most_rows=MOST_ROWS, most=MOST_COLUMNS, cells=MOST_CELLS
            )
    if not lines:
        raise InvalidInput("sensor-file-empty", name=name)
    return lines


def _require_even(lines: list[Line], name: str) -> None:
    expected = len(lines[0][1])
    for line, cells in lines:
        if len(cells) != expected:
            raise InvalidInput("sensor-file-uneven", name=name, row=line, cells=len(cells), expected=expected)


def _holds_times(rows: list[Line], place: int) -> bool:
    first = [cells[place] for _, cells in rows[:_LOOKED_AT] if not is_missing(cells[place])]
    return bool(first) and all(seconds(cell) is not None for cell in first)


def _decimal_comma(rows: list[Line], kept: list[int], names: Sequence[str], name: str) -> bool:
    """Say whether commas are decimal signs; refuse a file that can be read in two ways."""
    first: tuple[int, int, str] | None = None
    thousands = True
    point = False
    for line, cells in rows:
        for place in kept:
            cell = cells[place]
            if "," in cell and has_decimal_comma(cell):
                first = first or (line, place, cell)
                thousands = thousands and looks_like_thousands(cell)
            elif "." in cell:
                point = point or has_decimal_point(cell)
    if first is not None and (point or thousands):
        line, place, cell = first
        raise InvalidInput("sensor-file-decimal", name=name, row=line, column=names[place], text=_shown(cell))
    return first is not None


def _column(rows: list[Line], place: int, column: str, name: str, *, decimal_comma: bool) -> list[float]:
    found: list[float] = []
    for line, cells in rows:
        cell = cells[place]
        value = number(cell, decimal_comma=decimal_comma)
        if value is None:
            if not is_missing(cell):
                raise InvalidInput("sensor-file-cell", name=name, row=line, column=column, text=_shown(cell))
            value = np.nan
        found.append(value)
    return found


def _times(rows: list[Line], place: int, column: str, name: str) -> NDArray[np.float64]:
    found = np.full(len(rows), np.nan)
    for index, (line, cells) in enumerate(rows):
        moment = seconds(cells[place])
        if moment is not None:
            found[index] = moment
        elif not is_missing(cells[place]):
            raise InvalidInput("sensor-file-cell", name=name, row=line, column=column, text=_shown(cells[place]))
    return found


def _shown(cell: str) -> str:
    return cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"


def _too_large(name: str, size: int) -> TooLarge:
    return TooLarge("sensor-file-too-large", name=name, size=f"{size / 2**20:.0f}", limit=f"{MOST_BYTES / 2**20:.0f}")
