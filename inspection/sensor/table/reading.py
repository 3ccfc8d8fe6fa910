"""Reading tables of sensor values from CSV files of loggers, PLCs and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.table import dialect
from inspection.sensor.table.cells import LARGEST, is_missing, number
from inspection.sensor.table.dialect import Line
from inspection.sensor.table.layout import Layout, find_layout, shown
from inspection.sensor.table.times import Moment, moment
from models.errors import InvalidInput, TooLarge
from models.storage import reason_of

MAX_BYTES = 128 * 2**20
MAX_ROWS = 2_000_000
MAX_COLUMNS = 512
MAX_CELLS = 20_000_000
_PLAIN = re.compile(r"[0-9+\-.eE;]*")
"""Numbers that ``float`` parses as ``number`` does, separated by semicolons."""


@dataclass(frozen=True, slots=True)
class SensorTable:
    """Measured values, one row per instant, one column per sensor.

    Attributes:
        columns: names of the sensors.
        values: float64 ``(rows, columns)``; NaN where a value is missing.
        lines: int64 ``(rows,)``, line number of each row in the file, from 1.
        seconds: float64 ``(rows,)`` since 1970, or since midnight for times of day; NaN where missing; None without a
            time column.
        left_out: names of the columns that are not sensors: times, and those left out on request.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    lines: NDArray[np.int64]
    seconds: NDArray[np.float64] | None
    left_out: tuple[str, ...]


def read_table(path: Path | str, leave_out: Sequence[str] = (), na_values: Sequence[float] = ()) -> SensorTable:
    """Read a CSV file of numbers.

    Args:
        path: the file.
        leave_out: names of columns that are not sensors (labels, counters).
        na_values: numbers that represent a missing value, such as -999 in some loggers.

    Raises:
        InvalidInput: ``file-missing``, ``sensor-file-not-readable``, and as ``parse_table``.
        TooLarge: ``sensor-file-too-large``.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(path.name, size)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("sensor-file-not-readable", name=path.name, reason=reason_of(error)) from error
    return parse_table(data, path.name, leave_out, na_values)


def parse_table(data: bytes, name: str, leave_out: Sequence[str] = (), na_values: Sequence[float] = ()) -> SensorTable:
    """Read a table of numbers from the bytes of a CSV file.

    The header is optional. The delimiter is ``,``, ``;`` or a tab. A comma is the decimal separator if no number in the
    file has a point and the commas cannot separate thousands. Time columns are recognised and left out of the values.
    Two passes over the lines keep memory close to the size of the numbers.

    Raises:
        InvalidInput: with line and column of the fault: ``sensor-file-not-text``, ``sensor-file-empty``,
            ``sensor-file-line``, ``sensor-file-uneven``, ``sensor-file-cell``, ``sensor-file-decimal``,
            ``sensor-file-without-sensors``, ``sensor-column-unknown``.
        TooLarge: ``sensor-file-too-large``, ``sensor-file-too-many``.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(name, len(data))
    encoding = dialect.encoding_of(data, name)
    delimiter = dialect.find_delimiter(data, encoding)
    layout = find_layout(_limited(dialect.read_lines(data, encoding, delimiter), name), name, leave_out)
    rows = dialect.read_lines(data, encoding, delimiter)
    if layout.header:
        next(rows)
    values = np.empty((layout.rows, len(layout.kept)), np.float64)
    lines = np.empty(layout.rows, np.int64)
    moments = [np.full(layout.rows, np.nan) for _ in layout.times]
    kinds: list[set[str]] = [set() for _ in layout.times]
    for index, (line, cells) in enumerate(rows):
        lines[index] = line
        values[index] = _numbers(cells, line, layout, name)
        for place, found, kind in zip(layout.times, moments, kinds, strict=True):
            at = _moment(cells[place], line, place, layout, name)
            if at is not None:
                found[index] = at.seconds
                kind.add(at.kind)
    for na_value in na_values:
        values[values == na_value] = np.nan
    return SensorTable(
        columns=tuple(layout.names[place] for place in layout.kept),
        values=values,
        lines=lines,
        seconds=_seconds(moments, kinds),
        left_out=tuple(name for place, name in enumerate(layout.names) if place not in layout.kept),
    )


def _limited(source: Iterator[Line], name: str) -> Iterator[Line]:
    """Yield the lines up to the limits, as a small file of commas can expand to a large table."""
    cells = 0
    for count, (line, row) in enumerate(source, 1):
        cells += len(row)
        if count > MAX_ROWS + 1 or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            raise TooLarge(
                "sensor-file-too-many", name=name, row=line, most_rows=MAX_ROWS, most=MAX_COLUMNS, cells=MAX_CELLS
            )
        yield line, row


def _numbers(cells: list[str], line: int, layout: Layout, name: str) -> list[float]:
    """Return the values of a line, parsed together if all are plain numbers, else cell by cell."""
    kept = [cells[place] for place in layout.kept]
    text = ";".join(kept)
    if layout.decimal_comma:
        text = text.replace(",", ".")
    if _PLAIN.fullmatch(text):
        try:
            found = list(map(float, text.split(";")))
        except ValueError:
            found = []
        # A quoted cell may contain a semicolon.
        if len(found) == len(kept) and min(found) >= -LARGEST and max(found) <= LARGEST:
            return found
    return [
        _number(cell, line, layout.names[place], layout, name) for cell, place in zip(kept, layout.kept, strict=True)
    ]


def _number(cell: str, line: int, column: str, layout: Layout, name: str) -> float:
    value = number(cell, decimal_comma=layout.decimal_comma)
    if value is not None:
        return value
    if is_missing(cell):
        return np.nan
    raise InvalidInput("sensor-file-cell", name=name, row=line, column=column, text=shown(cell))


def _moment(cell: str, line: int, place: int, layout: Layout, name: str) -> Moment | None:
    found = moment(cell, layout.order)
    if found is None and not is_missing(cell):
        raise InvalidInput("sensor-file-cell", name=name, row=line, column=layout.names[place], text=shown(cell))
    return found


def _seconds(moments: list[NDArray[np.float64]], kinds: list[set[str]]) -> NDArray[np.float64] | None:
    """Return the times of a table: of a date-time column, else a date plus a time column, else the first column."""
    if not moments:
        return None
    for found, kind in zip(moments, kinds, strict=True):
        if kind == {"both"}:
            return found
    dates = [found for found, kind in zip(moments, kinds, strict=True) if kind == {"date"}]
    clocks = [found for found, kind in zip(moments, kinds, strict=True) if kind == {"clock"}]
    return dates[0] + clocks[0] if dates and clocks else moments[0]


def _too_large(name: str, size: int) -> TooLarge:
    return TooLarge("sensor-file-too-large", name=name, size=f"{size / 2**20:.0f}", limit=f"{MAX_BYTES / 2**20:.0f}")
