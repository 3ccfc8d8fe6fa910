"""Where the values of a table begin: after the lines of a logger, a header, and a line of units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inspection.sensor.table.cells import is_missing, is_number
from inspection.sensor.table.times import is_time

Line = tuple[int, list[str]]
"""Line number in the file, from 1, and the cells."""

COMMENT = "#"
_RUN = 3
"""Rows that follow each other where all of them have words."""
_BRACKETED = re.compile(r"[\[({<].*[\])}>]")
_UNIT = re.compile(
    r"°|°?[CFK]|deg ?[CFK]?|%( ?rh)?|‰|ppm|ppb|pH|db(\(?[A-C]\)?)?|"
    r"[nµμumckMGhd]?(A|V|VA|var|W|Wh|Hz|Pa|bar|g|N|Nm|m|s|l|L|J|Ω|ohm|F|H|T|S|cd|lm|lx|mol|t|eV)|mbar|psi|rpm|U/min|min|h|hr|d|sec|in|ft|lb|℃|㎜|㎏|回転|秒|分|時|個|回|"
    r"(hh?|HH?)[:.]mm([:.]ss([.,]?\w+)?)?|(yyyy|dd|MM|mm)[-/.]?\w*[-/.]?\w*( .*)?|-+|1",
    re.IGNORECASE,
)
_COMPOUND = re.compile(r"[/·*.^ ⋅]|(?<=[a-zA-Z])[-+]?[0-9²³¹⁻]+")


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a table.

    Attributes:
        header: the cells of the header; None without one.
        first: index of the first row of values among the nonempty lines.
        units_line: line number, from 1, of a line of units below the header; 0 without one.
        skipped: line numbers of the lines before the header, or before the first row without one.
    """

    header: list[str] | None
    first: int
    units_line: int = 0
    skipped: tuple[int, ...] = ()


def find_beginning(lines: Sequence[Line], missing: Collection[str] = ()) -> Beginning:
    """Return where the values begin, from the first nonempty lines of a file.

    Args:
        lines: the first nonempty lines.
        missing: texts that stand for a missing value, in lower case.

    The last line of words before the first row of numbers is the header, or a line of units with the header above it.
    What is before is no part of the table. Where there is no row of numbers, the first line decides, so that an error
    names what was taken for values.
    """
    width = _usual_width(lines)
    lines = _fitted(lines, width)
    place = _first_row([cells if len(cells) == width else [] for _, cells in lines])
    if place is None:
        return _at(lines, 0) if lines and _is_words(lines[0][1]) else Beginning(None, 0)
    words = [
        number
        for number in range(place)
        if len(lines[number][1]) == width and _is_words(lines[number][1]) and not is_status(lines[number][1], missing)
    ]
    plain = [number for number in words if not lines[number][1][0].lstrip().startswith(COMMENT)] or words
    if not plain:
        first = next(number for number in range(place + 1) if _may_be_row(lines[number][1], width, missing))
        return Beginning(None, first, skipped=_numbers(lines[:first]))
    last = plain[-1]
    if len(plain) > 1 and plain[-2] == last - 1 and is_unit_row(lines[last][1]):
        return _at(lines, last - 1, units=True)
    return _at(lines, last)


def _first_row(lines: Sequence[list[str]]) -> int | None:
    """Return the place of the first row of numbers; where all rows have words, that of the first with as many numbers.

    The latter is followed by such rows, unlike a line of a logger with a number or a time.
    """
    whole = next((place for place, cells in enumerate(lines) if _is_row(cells)), None)
    if whole is not None:
        return whole
    partly = [_is_partly_row(cells) for cells in lines]
    return next((place for place in range(len(lines)) if all(partly[place : place + _RUN])), None)


def _is_partly_row(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if not is_missing(cell)]
    numbers = sum(is_number_or_time(cell) for cell in filled)
    return numbers > 0 and 2 * numbers >= len(filled)


def beginning_at(lines: Sequence[Line], missing: Collection[str] = ()) -> Beginning:
    """Return where the values begin when the first of the lines is known to be the header or the first row."""
    lines = _fitted(lines, _usual_width(lines))
    if not lines or not _is_words(lines[0][1]) or is_status(lines[0][1], missing):
        return Beginning(None, 0)
    below = lines[1][1] if len(lines) > 1 else []
    return _at(lines, 0, units=len(below) == len(lines[0][1]) and _is_words(below) and is_unit_row(below))


def is_number_or_time(cell: str) -> bool:
    """Return whether a cell is a number, with either decimal sign, or a time."""
    return is_number(cell) or is_time(cell)


def is_status(cells: Sequence[str], missing: Collection[str] = ()) -> bool:
    """Return whether a line of words says of every value that there is none: ``Bad,Bad,Bad``, or the given texts."""
    filled = [cell.strip().lower() for cell in cells if not is_missing(cell)]
    if filled and all(cell in missing for cell in filled):
        return True
    return len(filled) > 1 and len(filled) == len(cells) and len(set(filled)) == 1 and not is_unit_row(filled)


def is_unit_row(cells: Sequence[str]) -> bool:
    """Return whether every filled cell is a unit of measurement, such as ``°C``, ``[bar]`` or ``m/s²``."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(_is_unit(cell) for cell in filled)


def _is_unit(text: str) -> bool:
    if _BRACKETED.fullmatch(text):
        return True
    parts = [part for part in _COMPOUND.split(text) if part]
    return all(_UNIT.fullmatch(part) for part in parts)


def _at(lines: Sequence[Line], header: int, *, units: bool = False) -> Beginning:
    cells = lines[header][1]
    first = header + 1 + units
    names = [cells[0].lstrip().removeprefix(COMMENT), *cells[1:]]
    return Beginning(names, first, lines[header + 1][0] if units else 0, _numbers(lines[:header]))


def _numbers(lines: Sequence[Line]) -> tuple[int, ...]:
    return tuple(number for number, _ in lines)


def _fitted(lines: Sequence[Line], width: int) -> Sequence[Line]:
    """Return the lines with those of words as wide as the rows, where one of both has a delimiter at its end."""
    rows = [cells for _, cells in lines if len(cells) == width and _is_row(cells)]
    trailing = width > 1 and bool(rows) and not any(cells[-1].strip() for cells in rows)
    return [(number, _fitted_words(cells, width, trailing=trailing)) for number, cells in lines]


def _fitted_words(cells: list[str], width: int, *, trailing: bool) -> list[str]:
    if len(cells) == width + 1 and not cells[-1].strip() and _is_words(cells):
        return cells[:-1]
    if trailing and len(cells) == width - 1 and _is_words(cells):
        return [*cells, ""]
    return cells


def _usual_width(lines: Sequence[Line]) -> int:
    """Return the number of cells of most lines; of lines of numbers where there are any."""
    rows = [len(cells) for _, cells in lines if _is_row(cells)]
    counted = Counter(rows or [len(cells) for _, cells in lines])
    return max(counted, key=lambda width: (counted[width], width), default=0)


def _is_row(cells: Sequence[str]) -> bool:
    """Return whether all filled cells are numbers or times, and one at least is."""
    filled = [cell for cell in cells if not is_missing(cell)]
    return bool(filled) and all(is_number_or_time(cell) for cell in filled)


def _may_be_row(cells: Sequence[str], width: int, missing: Collection[str]) -> bool:
    return len(cells) == width and (any(is_number_or_time(cell) for cell in cells) or is_status(cells, missing))


def _is_words(cells: Sequence[str]) -> bool:
    """Return whether a line has text, but no number and no time."""
    filled = [cell for cell in cells if not is_missing(cell)]
    return bool(filled) and not any(is_number_or_time(cell) for cell in filled)
