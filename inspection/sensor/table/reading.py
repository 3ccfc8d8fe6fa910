"""Reading tables of sensor values from CSV files of loggers, PLCs and spreadsheets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.table import dialect
from inspection.sensor.table.cells import LARGEST, is_missing, is_no_value, number
from inspection.sensor.table.form import ANY_FORM, Assumption, TableForm
from inspection.sensor.table.layout import Layout, find_layout, rows_of_table, shown
from inspection.sensor.table.preamble import Line
from inspection.sensor.table.times import Moment, moment
from models.errors import InvalidInput, TooLarge
from models.storage import is_folder, reason_of

MAX_BYTES = 128 * 2**20
MAX_ROWS = 2_000_000
MAX_COLUMNS = 512
MAX_CELLS = 20_000_000
_PLAIN = re.compile(r"[0-9+\-.eE;]*")
"""Numbers that ``float`` parses as ``number`` does, separated by semicolons."""
_SHOWN_TEXTS = 5
_MOST_TEXTS = 1000
_SHOWN_ENCODINGS = {"cp932": "Shift JIS", "cp1252": "Windows-1252"}


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
        assumptions: what was assumed about the file, and what of it was left out.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    lines: NDArray[np.int64]
    seconds: NDArray[np.float64] | None
    left_out: tuple[str, ...]
    assumptions: tuple[Assumption, ...] = ()

    def without(self, columns: Collection[str]) -> SensorTable:
        """Return the table without some of its sensors."""
        places = [place for place, name in enumerate(self.columns) if name not in columns]
        return replace(self, columns=tuple(self.columns[place] for place in places), values=self.values[:, places])


def read_table(
    path: Path | str,
    leave_out: Sequence[str] = (),
    na_values: Sequence[float] = (),
    form: TableForm = ANY_FORM,
    *,
    name: str = "",
) -> SensorTable:
    """Read a CSV file of numbers.

    Args:
        path: the file.
        leave_out: names of columns that are not sensors (labels, counters).
        na_values: numbers that represent a missing value, such as -999 in some loggers.
        form: what is known of the file: encoding, decimal sign, lines to skip, texts of missing values.
        name: of the file in messages; empty for that of the path.

    Raises:
        InvalidInput: ``file-missing``, ``sensor-file-folder``, ``sensor-file-not-readable``, and as ``parse_table``.
        TooLarge: ``sensor-file-too-large``.
    """
    path = Path(path)
    if is_folder(path):
        raise InvalidInput("sensor-file-folder", name=str(path))
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(name or path.name, size)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("sensor-file-not-readable", name=name or path.name, reason=reason_of(error)) from error
    return parse_table(data, name or path.name, leave_out, na_values, form)


def parse_table(
    data: bytes,
    name: str,
    leave_out: Sequence[str] = (),
    na_values: Sequence[float] = (),
    form: TableForm = ANY_FORM,
) -> SensorTable:
    """Read a table of numbers from the bytes of a CSV file.

    The header is optional; lines of a logger before it, a line of units below it and lines of means after the values
    are left out. The delimiter is ``,``, ``;`` or a tab, or what a line ``sep=`` names. A comma is the decimal sign if
    no number in the file has a point and the commas cannot separate thousands. Time columns are recognised and left
    out of the values. What was assumed or left out is in ``SensorTable.assumptions``. Two passes over the lines keep
    memory close to the size of the numbers.

    Raises:
        InvalidInput: with line and column of the fault: ``sensor-file-not-text``, ``sensor-file-nul``,
            ``sensor-file-workbook``, ``sensor-file-encoding``, ``sensor-file-empty``, ``sensor-file-line``,
            ``sensor-file-uneven``, ``sensor-file-cell``, ``sensor-file-decimal``,
            ``sensor-file-without-sensors``, ``sensor-column-unknown``.
        TooLarge: ``sensor-file-too-large``, ``sensor-file-too-many``.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(name, len(data))
    encoding = dialect.encoding_of(data, name, form.encoding)
    skip = form.skip_lines or 0
    delimiter = dialect.find_delimiter(data, encoding.name, skip)

    def lines() -> Iterator[Line]:
        return dialect.lines_after(data, encoding.name, delimiter, skip)

    layout = find_layout(_limited(lines(), name), name, leave_out, form, delimiter)
    cells_of = _CellReader(layout, name, form)
    values = np.empty((layout.rows, len(layout.kept)), np.float64)
    numbers = np.empty(layout.rows, np.int64)
    moments = [np.full(layout.rows, np.nan) for _ in layout.times]
    kinds: list[set[str]] = [set() for _ in layout.times]
    for index, (line, cells) in enumerate(rows_of_table(lines(), layout)):
        numbers[index] = line
        values[index] = cells_of.numbers(cells, line)
        for place, found, kind in zip(layout.times, moments, kinds, strict=True):
            at = cells_of.moment(cells[place], line, place)
            if at is not None:
                found[index] = at.seconds
                kind.add(at.kind)
    cells_of.require_numbers()
    for na_value in (*na_values, *numbers_among(form.missing)):
        values[values == na_value] = np.nan
    return SensorTable(
        columns=tuple(layout.names[place] for place in layout.kept),
        values=values,
        lines=numbers,
        seconds=_seconds(moments, kinds),
        left_out=tuple(name for place, name in enumerate(layout.names) if place not in layout.kept),
        assumptions=tuple(_assumptions(encoding, layout, cells_of)),
    )


def numbers_among(texts: Sequence[str]) -> list[float]:
    """Return the numbers among texts of missing values."""
    found = (number(text, decimal_comma="," in text) for text in texts)
    return [value for value in found if value is not None]


def _assumptions(encoding: dialect.Encoding, layout: Layout, cells: _CellReader) -> Iterator[Assumption]:
    beginning = layout.beginning
    if encoding.assumed:
        yield Assumption("sensor-table-encoding", {"encoding": _SHOWN_ENCODINGS.get(encoding.name, encoding.name)})
    if beginning.skipped:
        yield Assumption("sensor-table-skipped", {"count": len(beginning.skipped), "lines": ranges(beginning.skipped)})
    if beginning.units_line:
        yield Assumption("sensor-table-units", {"line": beginning.units_line})
    if layout.footer:
        yield Assumption("sensor-table-footer", {"count": len(layout.footer), "lines": ranges(layout.footer)})
    if layout.assumed_comma is not None:
        line, column, text = layout.assumed_comma
        yield Assumption("sensor-table-decimal", {"row": line, "column": column, "text": shown(text)})
    if cells.without_value:
        texts = ", ".join(f"{shown(text)} ({count})" for text, count in cells.without_value.most_common(_SHOWN_TEXTS))
        yield Assumption("sensor-table-no-value", {"count": cells.without_value.total(), "texts": texts})


def ranges(lines: Sequence[int]) -> str:
    """Return ascending line numbers as text, runs of them together: ``1-3, 7``."""
    parts: list[list[int]] = []
    for line in lines:
        if parts and line == parts[-1][-1] + 1:
            parts[-1][1:] = [line]
        else:
            parts.append([line])
    return ", ".join("-".join(map(str, part)) for part in parts)


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


class _CellReader:
    """Reads the cells of rows, and counts those that are no numbers, so that an error names all their texts.

    Args:
        layout: of the table.
        name: of the file, for messages.
        form: what is known of the table.

    Attributes:
        without_value: texts such as ``#DIV/0!`` and their numbers.
    """

    def __init__(self, layout: Layout, name: str, form: TableForm) -> None:
        self.without_value: Counter[str] = Counter()
        self._layout = layout
        self._name = name
        self._missing = {text.strip().lower() for text in form.missing}
        self._wrong: Counter[str] = Counter()
        self._first: tuple[int, str, str] | None = None

    def numbers(self, cells: list[str], line: int) -> list[float]:
        """Return the values of a line, parsed together if all are plain numbers, else cell by cell."""
        layout = self._layout
        kept = [cells[place] for place in layout.kept]
        text = ";".join(kept)
        if layout.decimal_comma:
            # A point among decimal commas separates thousands.
            text = text.replace(".", "\0").replace(",", ".")
        if _PLAIN.fullmatch(text):
            try:
                found = list(map(float, text.split(";")))
            except ValueError:
                found = []
            # A quoted cell may contain a semicolon.
            if len(found) == len(kept) and min(found) >= -LARGEST and max(found) <= LARGEST:
                return found
        return [self._number(cell, line, layout.names[place]) for cell, place in zip(kept, layout.kept, strict=True)]

    def moment(self, cell: str, line: int, place: int) -> Moment | None:
        """Return the time in a cell; None when it is missing."""
        found = moment(cell, self._layout.order)
        if found is None and not self._is_missing(cell):
            self._note_wrong(cell, line, self._layout.names[place])
        return found

    def require_numbers(self) -> None:
        """Check that all cells were numbers, times, or missing.

        Raises:
            InvalidInput: ``sensor-file-cell`` with the first other one, and the number and texts of all.
        """
        if self._first is None:
            return
        line, column, text = self._first
        texts = [shown(found) for found, _ in self._wrong.most_common(_SHOWN_TEXTS)]
        raise InvalidInput(
            "sensor-file-cell",
            name=self._name,
            row=line,
            column=column,
            text=shown(text),
            count=self._wrong.total(),
            options=" ".join(f'--missing "{found}"' for found in texts),
        )

    def _number(self, cell: str, line: int, column: str) -> float:
        value = number(cell, decimal_comma=self._layout.decimal_comma, grouped=self._layout.grouped)
        if value is not None:
            return value
        if not self._is_missing(cell):
            self._note_wrong(cell, line, column)
        elif is_no_value(cell):
            self.without_value[cell.strip()] += 1
        return np.nan

    def _is_missing(self, cell: str) -> bool:
        return is_missing(cell) or cell.strip().lower() in self._missing

    def _note_wrong(self, cell: str, line: int, column: str) -> None:
        self._first = self._first or (line, column, cell)
        if len(self._wrong) < _MOST_TEXTS or cell in self._wrong:
            self._wrong[cell.strip()] += 1


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
