"""How a table of numbers is written: encoding, delimiter, header, decimal sign."""

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
"""In the order they are preferred in: a comma may also be a decimal sign."""
_SAMPLE_LINES = 50

Line = tuple[int, list[str]]
"""Number of the line in the file, from 1, and its cells."""


def encoding_of(data: bytes, name: str) -> str:
    """Return how a file is encoded: UTF-8 or UTF-16 by its mark, UTF-8, else Shift JIS as Japanese Windows writes it.

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
    """Return the delimiter: the first of ``;``, tab and ``,`` that parts all first lines alike; a comma when none does.

    Where none parts them all alike, the one that most of them agree on is taken, so that the error that follows
    names the line that is different.
    """
    votes: dict[str, int] = {}
    for delimiter in DELIMITERS:
        widths = [len(cells) for _, cells in islice(read_lines(data, encoding, delimiter), _SAMPLE_LINES)]
        parted = [width for width in widths if width > 1]
        if parted and len(set(widths)) == 1:
            return delimiter
        votes[delimiter] = max((parted.count(width) for width in set(parted)), default=0)
    best = max(DELIMITERS, key=lambda delimiter: votes[delimiter])
    return best if votes[best] else ","


def read_lines(data: bytes, encoding: str, delimiter: str) -> Iterator[Line]:
    """Yield the lines that are not empty, with their numbers; a line at a time, so that a large file stays bytes.

    Raises:
        InvalidInput: ``sensor-file-line`` for a line that the format does not allow.
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
    """Say whether a first line names the columns: it holds words, and no number and no time."""
    spoken = [cell for cell in cells if not is_missing(cell)]
    return bool(spoken) and not any(is_number(cell) or is_time(cell) for cell in spoken)


def column_names(cells: list[str] | None, count: int) -> tuple[str, ...]:
    """Return a name for each column, all different: those of the header, else ``column 1`` and so on."""
    names: list[str] = []
    for place in range(count):
        wanted = (cells[place].strip() if cells else "") or f"column {place + 1}"
        name, again = wanted, 2
        while name in names:
            name, again = f"{wanted} ({again})", again + 1
        names.append(name)
    return tuple(names)
