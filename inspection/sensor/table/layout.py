"""The layout of a table, determined in one pass over its lines without keeping them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from inspection.sensor.table import dialect
from inspection.sensor.table.cells import has_decimal_comma, has_decimal_point, is_missing, looks_like_thousands
from inspection.sensor.table.dialect import Line
from inspection.sensor.table.times import Order, is_time
from models.errors import InvalidInput

_SAMPLE_LINES = 50
_SHOWN = 40
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a table.

    Attributes:
        header: whether the first line is a header.
        names: of all columns, without an empty one after a trailing delimiter.
        width: cells per line.
        kept: indices of the sensor columns.
        times: indices of the time columns.
        rows: number of data lines.
        decimal_comma: whether the decimal separator is a comma.
        order: whether day or month comes first in dates such as 09/03/2020.
    """

    header: bool
    names: tuple[str, ...]
    width: int
    kept: tuple[int, ...]
    times: tuple[int, ...]
    rows: int
    decimal_comma: bool
    order: Order


@dataclass(slots=True)
class _Signs:
    """Evidence for the decimal separator in the values so far."""

    comma: tuple[int, int, str] | None = None
    thousands: bool = True
    point: bool = False

    def look(self, line: int, cells: list[str], kept: Sequence[int]) -> None:
        undecided = self.comma is None or self.thousands
        text = "\0".join(cells)
        if not (undecided and "," in text) and (self.point or "." not in text):
            return
        for place in kept:
            cell = cells[place]
            if "," in cell and has_decimal_comma(cell):
                self.comma = self.comma or (line, place, cell)
                self.thousands = self.thousands and looks_like_thousands(cell)
            elif "." in cell:
                self.point = self.point or has_decimal_point(cell)


@dataclass(slots=True)
class _Dates:
    """Evidence for the order of day and month in the dates so far; the day comes first by default."""

    day_first: bool = True

    def look(self, text: str) -> None:
        if text.count("/") != 2 or is_missing(text):  # noqa: PLR2004 - as in 09/03/2020
            return
        second = text.split("/")[1].strip()
        self.day_first = self.day_first and not (second.isdecimal() and int(second) > _MONTHS)

    @property
    def order(self) -> Order:
        return "day" if self.day_first else "month"


def find_layout(lines: Iterator[Line], name: str, leave_out: Sequence[str]) -> Layout:
    """Return the layout after one pass over the lines.

    Raises:
        InvalidInput: ``sensor-file-empty``, ``sensor-file-uneven``, ``sensor-column-unknown``,
            ``sensor-file-without-sensors``, ``sensor-file-decimal``.
    """
    begin = list(islice(lines, _SAMPLE_LINES + 1))
    if not begin:
        raise InvalidInput("sensor-file-empty", name=name)
    width = len(begin[0][1])
    header = begin[0][1] if dialect.is_header(begin[0][1]) else None
    if header is not None:
        begin = begin[1:]
    names = dialect.column_names(header, width)
    unknown = next((column for column in leave_out if column not in names), None)
    if unknown is not None:
        raise InvalidInput("sensor-column-unknown", column=unknown, known=", ".join(names))
    checked = _require_equal_width(chain(begin, lines), width, name)
    first = list(islice(checked, _SAMPLE_LINES))
    times = tuple(place for place in range(width) if _holds_times(first, place))
    kept = tuple(place for place in range(width) if place not in times and names[place] not in leave_out)
    nameless = width > 1 and not (header and header[-1].strip()) and width - 1 in kept
    signs, dates, rows = _Signs(), _Dates(), 0
    for line, cells in chain(first, checked):
        rows += 1
        signs.look(line, cells, kept)
        nameless = nameless and not cells[-1].strip()
        for place in times:
            dates.look(cells[place])
    if not rows:
        raise InvalidInput("sensor-file-empty", name=name)
    if nameless:
        # Some loggers write a trailing delimiter.
        names, kept = names[:-1], kept[:-1]
    if not kept:
        raise InvalidInput("sensor-file-without-sensors", name=name)
    if signs.comma is not None and (signs.point or signs.thousands):
        line, place, cell = signs.comma
        raise InvalidInput("sensor-file-decimal", name=name, row=line, column=names[place], text=shown(cell))
    return Layout(header is not None, names, width, kept, times, rows, signs.comma is not None, dates.order)


def shown(cell: str) -> str:
    """Return a cell shortened for a message."""
    return cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"


def _require_equal_width(lines: Iterator[Line], expected: int, name: str) -> Iterator[Line]:
    for line, cells in lines:
        if len(cells) != expected:
            raise InvalidInput("sensor-file-uneven", name=name, row=line, cells=len(cells), expected=expected)
        yield line, cells


def _holds_times(rows: Sequence[Line], place: int) -> bool:
    first = [cells[place] for _, cells in rows if not is_missing(cells[place])]
    return bool(first) and all(map(is_time, first))
