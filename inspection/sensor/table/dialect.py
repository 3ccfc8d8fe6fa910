"""The CSV dialect of a table: encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from itertools import islice

from inspection.sensor.table.cells import is_missing, is_number
from inspection.sensor.table.times import is_time
from models.errors import InvalidInput

DELIMITERS = (";", "\t", ",")
"""In order of preference: a comma may also be a decimal separator."""
_SAMPLE_LINES = 50

Line = tuple[int, list[str]]
"""Line number in the file, from 1, and the cells."""


def encoding_of(data: bytes, name: str) -> str:
    """Return the encoding of a file: UTF-16 by its byte order mark, else UTF-8, else CP932 (Shift JIS of Windows).

    Raises:
        InvalidInput: ``sensor-file-not-text``.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data:
        encodings = ()
    else:
        encodings = ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise InvalidInput("sensor-file-not-text", name=name)


def find_delimiter(data: bytes, encoding: str) -> str:
    """Return the first of ``DELIMITERS`` that splits the first lines into equally many cells; a comma by default.

    If none does, the one with the largest number of equally long lines is returned, so that the error that follows
    names the deviating line.
    """
    votes: dict[str, int] = {}
    for delimiter in DELIMITERS:
        widths = [len(cells) for _, cells in islice(read_lines(data, encoding, delimiter), _SAMPLE_LINES)]
        split = [width for width in widths if width > 1]
        if split and len(set(widths)) == 1:
            return delimiter
        votes[delimiter] = max((split.count(width) for width in set(split)), default=0)
    best = max(DELIMITERS, key=lambda delimiter: votes[delimiter])
    return best if votes[best] else ","


def read_lines(data: bytes, encoding: str, delimiter: str) -> Iterator[Line]:
    """Yield the nonempty lines with their numbers, decoded one at a time to save memory.

    Raises:
        InvalidInput: ``sensor-file-line`` for a line that is not valid CSV.
    """
    text = TextIOWrapper(BytesIO(data), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) or len(cells) > 1:
                yield reader.line_num, cells
    except csv.Error as error:
        raise InvalidInput("sensor-file-line", row=reader.line_num, reason=str(error)) from error


def is_header(cells: list[str]) -> bool:
    """Return whether a first line is a header: it has text, but no number and no time."""
    filled = [cell for cell in cells if not is_missing(cell)]
    return bool(filled) and not any(is_number(cell) or is_time(cell) for cell in filled)


def column_names(cells: list[str] | None, count: int) -> tuple[str, ...]:
    """Return unique names of the columns: those of the header, else ``column 1`` and so on."""
    names: list[str] = []
    for place in range(count):
        wanted = (cells[place].strip() if cells else "") or f"column {place + 1}"
        name, again = wanted, 2
        while name in names:
            name, again = f"{wanted} ({again})", again + 1
        names.append(name)
    return tuple(names)
