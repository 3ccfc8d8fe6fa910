"""The layout of a table, determined in one pass over its lines without keeping them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from inspection.sensor.table import dialect
from inspection.sensor.table.cells import (
    has_decimal_comma,
    has_decimal_point,
    is_missing,
    is_whole,
    looks_like_thousands,
)
from inspection.sensor.table.form import Decimal, TableForm
from inspection.sensor.table.preamble import Beginning, Line, beginning_at, find_beginning, is_number_or_time
from inspection.sensor.table.times import Order, is_time
from models.errors import InvalidInput

_SAMPLE_LINES = 200
_MOST_FOOTER = 5
_NUMBER_BEGINS = frozenset("0123456789+-.")
_SUMMARIES = frozenset(
    {"mean", "average", "avg", "min", "max", "minimum", "maximum", "sum", "total", "std", "median"}
    | {"mittelwert", "summe", "moyenne", "平均", "最大", "最小", "合計", "最大値", "最小値", "平均値"}
)
_SHOWN = 40
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a table.

    Attributes:
        beginning: header, units and what is before them.
        names: of all columns, without an empty one after a trailing delimiter.
        width: cells per line.
        kept: indices of the sensor columns.
        times: indices of the time columns.
        rows: number of data lines.
        decimal_comma: whether the decimal separator is a comma.
        grouped: whether the other sign may separate thousands.
        order: whether day or month comes first in dates such as 09/03/2020.
        footer: line numbers after the last row of values.
        assumed_comma: line, column and text of a number whose comma was taken as decimal though it may separate
            thousands.
    """

    beginning: Beginning
    names: tuple[str, ...]
    width: int
    kept: tuple[int, ...]
    times: tuple[int, ...]
    rows: int
    decimal_comma: bool
    grouped: bool
    order: Order
    footer: tuple[int, ...] = ()
    assumed_comma: tuple[int, str, str] | None = None


@dataclass(slots=True)
class _Signs:
    """Evidence for the decimal separator in the values so far."""

    comma: tuple[int, int, str] | None = None
    thousands: bool = True
    point: bool = False
    with_comma: set[int] = field(default_factory=set)
    without_comma: set[int] = field(default_factory=set)

    def look(self, line: int, cells: list[str], kept: Sequence[int]) -> None:
        text = "\0".join(cells)
        if self.point and "," not in text:
            return
        undecided = self.comma is None or self.thousands
        if not undecided and (self.point or "." not in text):
            return
        for place in kept:
            cell = cells[place]
            if "," in cell and has_decimal_comma(cell):
                self.comma = self.comma or (line, place, cell)
                self.thousands = self.thousands and looks_like_thousands(cell)
                self.with_comma.add(place)
            elif "." in cell:
                self.point = self.point or has_decimal_point(cell)
            elif is_whole(cell):
                self.without_comma.add(place)

    @property
    def fixed_decimals(self) -> bool:
        """Whether every number of the columns with commas has one, as decimals of a fixed number are written."""
        return self.with_comma.isdisjoint(self.without_comma)


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


def find_layout(lines: Iterator[Line], name: str, leave_out: Sequence[str], form: TableForm, delimiter: str) -> Layout:
    """Return the layout after one pass over the lines.

    Args:
        lines: the nonempty lines, after those that ``form`` skips.
        name: of the file, for messages.
        leave_out: names of columns that are not sensors.
        form: what is known of the table.
        delimiter: of its cells.

    Raises:
        InvalidInput: ``sensor-file-empty``, ``sensor-file-uneven``, ``sensor-column-unknown``,
            ``sensor-file-without-sensors``, ``sensor-file-decimal``.
    """
    sample = list(islice(lines, _SAMPLE_LINES + 1))
    if not sample:
        raise InvalidInput("sensor-file-empty", name=name)
    missing = {text.strip().lower() for text in form.missing}
    beginning = find_beginning(sample, missing) if form.skip_lines is None else beginning_at(sample, missing)
    begin = sample[beginning.first :]
    width = len(beginning.header if beginning.header is not None else begin[0][1] if begin else sample[0][1])
    names = dialect.column_names(beginning.header, width)
    require_known(leave_out, names)
    ending = _Ending(missing, width)
    checked = _require_equal_width(ending.without_footer(chain(begin, lines)), width, name)
    first = list(islice(checked, _SAMPLE_LINES))
    times = tuple(place for place in range(width) if _holds_times(first, place))
    kept = tuple(place for place in range(width) if place not in times and names[place] not in leave_out)
    header = beginning.header
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
    comma, assumed = _decimal_comma(signs, form.decimal, delimiter, names, name)
    return Layout(
        beginning=beginning,
        names=names,
        width=width,
        kept=kept,
        times=times,
        rows=rows,
        decimal_comma=comma,
        grouped=form.decimal is not None,
        order=dates.order,
        footer=tuple(ending.footer),
        assumed_comma=assumed,
    )


def _decimal_comma(
    signs: _Signs, given: Decimal | None, delimiter: str, names: Sequence[str], name: str
) -> tuple[bool, tuple[int, str, str] | None]:
    """Return whether the decimal sign is a comma, and the number by which that was assumed, where it was.

    Raises:
        InvalidInput: ``sensor-file-decimal`` when it can be read in two ways.
    """
    if given is not None or signs.comma is None:
        return given == ",", None
    line, place, cell = signs.comma
    if not signs.point and not signs.thousands:
        return True, None
    if not signs.point and signs.fixed_decimals and delimiter != ",":
        # Programs that separate cells by semicolons do so because their decimal sign is a comma.
        return True, (line, names[place], cell)
    raise InvalidInput("sensor-file-decimal", name=name, row=line, column=names[place], text=shown(cell))


def require_known(columns: Sequence[str], names: Sequence[str]) -> None:
    """Check that a table has all columns that somebody named.

    Raises:
        InvalidInput: ``sensor-column-unknown``.
    """
    unknown = next((column for column in columns if column not in names), None)
    if unknown is not None:
        raise InvalidInput("sensor-column-unknown", column=unknown, known=", ".join(names))


def rows_of_table(lines: Iterator[Line], layout: Layout) -> Iterator[Line]:
    """Yield the rows of values among all nonempty lines that ``find_layout`` was given."""
    return islice(lines, layout.beginning.first, layout.beginning.first + layout.rows)


class _Ending:
    """Sets aside lines of words, and of means and sums, that only such lines follow.

    A line with a word in every cell, or with a text of a missing value, is a row: what the logger wrote for its values.

    Args:
        missing: texts that stand for a missing value, in lower case.
        width: cells per row.

    Attributes:
        footer: their line numbers, once all lines have been passed on.
    """

    def __init__(self, missing: Collection[str], width: int) -> None:
        self.footer: list[int] = []
        self._missing = frozenset(missing)
        self._width = width

    def without_footer(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Yield the lines but those at the end, five at most."""
        waiting: list[Line] = []
        for line in lines:
            if self._may_end(line[1]):
                waiting.append(line)
                if len(waiting) <= _MOST_FOOTER:
                    continue
            if waiting and waiting[-1] is not line:
                waiting.append(line)
            yield from waiting or [line]
            waiting.clear()
        self.footer = [number for number, _ in waiting]

    def _may_end(self, cells: list[str]) -> bool:
        if cells[0][:1] in _NUMBER_BEGINS:
            return False
        words = [cell.strip().lower() for cell in cells if not is_missing(cell)]
        if not words or not self._missing.isdisjoint(words):
            return False
        if not _SUMMARIES.isdisjoint(words):
            return True
        full = len(words) == self._width > 1
        return not full and not any(map(is_number_or_time, words))


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
