"""The CSV dialect of a table: encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import dropwhile, islice

from inspection.sensor.table.preamble import Line
from models.encodings import SHIFT_JIS, WINDOWS_1252, is_known_encoding, probable_encoding
from models.errors import InvalidInput

DELIMITERS = (";", "\t", ",")
"""In order of preference: a comma may also be a decimal separator."""
_SAMPLE_LINES = 200

_SAMPLE_BYTES = 65_536
_BEYOND_ASCII = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
# The first bytes of .xlsx and .ods, which are ZIP archives, and of .xls.
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_SEPARATOR = re.compile(r'"?sep=([;,|\t])"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Encoding:
    """The character set of a file, as Python names it, and whether the file leaves it open."""

    name: str
    assumed: bool = False


def encoding_of(data: bytes, name: str, given: str = "") -> Encoding:
    """Return the encoding of a file: the given one, that of its byte order mark, else the probable one.

    Raises:
        InvalidInput: ``sensor-file-encoding`` when the file cannot be decoded as given; ``sensor-file-nul`` when it is
            UTF-8 with NUL bytes; ``sensor-file-workbook`` for one of a spreadsheet program; ``sensor-file-not-text``
            when none is probable.
    """
    if data.startswith(_WORKBOOK):
        raise InvalidInput("sensor-file-workbook", name=name)
    if given:
        if not is_known_encoding(given) or not _decodes(data, given):
            raise InvalidInput("sensor-file-encoding", name=name, encoding=given)
        return Encoding("utf-8-sig" if codecs.lookup(given).name == "utf-8" else given)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if _decodes(data, "utf-16"):
            return Encoding("utf-16")
    elif b"\0" not in data:
        if _decodes(data, "utf-8-sig"):
            return Encoding("utf-8-sig")
        sample = b"\n".join(match.group() for match in islice(_BEYOND_ASCII.finditer(data), _SAMPLE_LINES))
        probable = probable_encoding(sample[:_SAMPLE_BYTES])
        # A file that is UTF-8 but for a few bytes is damaged, not in another character set.
        possible = (probable.name, SHIFT_JIS, WINDOWS_1252) if probable and probable.name != "utf-8" else ()
        for encoding in possible:
            if _decodes(data, encoding):
                return Encoding(encoding, assumed=True)
    elif _decodes(data, "utf-8-sig"):
        raise InvalidInput("sensor-file-nul", name=name, row=data.count(b"\n", 0, data.index(b"\0")) + 1)
    raise InvalidInput("sensor-file-not-text", name=name)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeError, ValueError):
        return False
    return True


def find_delimiter(data: bytes, encoding: str, skip_lines: int = 0) -> str:
    """Return the one that a line ``sep=`` names, else the one that splits most of the first lines into equally many.

    The first of ``DELIMITERS`` that splits all of them is taken, a comma where none splits any.
    """
    named = separator_line(data, encoding)
    if named is not None:
        return named
    votes: dict[str, int] = {}
    for delimiter in DELIMITERS:
        widths = [len(cells) for _, cells in islice(lines_after(data, encoding, delimiter, skip_lines), _SAMPLE_LINES)]
        split = [width for width in widths if width > 1]
        if split and len(set(widths)) == 1:
            return delimiter
        votes[delimiter] = max((split.count(width) for width in set(split)), default=0)
    best = max(DELIMITERS, key=lambda delimiter: votes[delimiter])
    return best if votes[best] else ","


def separator_line(data: bytes, encoding: str) -> str | None:
    """Return the delimiter that a first line ``sep=;`` of Excel names; None without one."""
    text = TextIOWrapper(BytesIO(data[:_SAMPLE_BYTES]), encoding=encoding, errors="replace").readline()
    found = _SEPARATOR.fullmatch(text.strip("\r\n"))
    return found.group(1) if found else None


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
    except (csv.Error, UnicodeError) as error:
        raise InvalidInput("sensor-file-line", row=reader.line_num, reason=str(error)) from error


def lines_after(data: bytes, encoding: str, delimiter: str, skip_lines: int) -> Iterator[Line]:
    """Yield the nonempty lines after the first ``skip_lines`` lines of the file."""
    return dropwhile(lambda line: line[0] <= skip_lines, read_lines(data, encoding, delimiter))


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
