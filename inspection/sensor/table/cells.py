"""What one cell of a table says: a number, a gap, a word."""

from __future__ import annotations

import re

MISSING = frozenset({"", "-", "--", "?", "na", "n/a", "nan", "null", "none", "#n/a", "欠測", "欠損"})
"""What stands for a missing value, in lower case."""

LARGEST = 1e100
"""No measurement is larger; squares and sums of what is smaller stay finite."""

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)


def is_missing(text: str) -> bool:
    """Say whether a cell stands for a value that was not measured."""
    return text.strip().lower() in MISSING


def has_decimal_point(text: str) -> bool:
    """Say whether the cell is a number written with a point as its decimal sign."""
    return "." in text and _POINT.fullmatch(text.strip()) is not None


def has_decimal_comma(text: str) -> bool:
    """Say whether the cell can be read as a number with a comma as its decimal sign."""
    return "," in text and _COMMA.fullmatch(text.strip()) is not None


def looks_like_thousands(text: str) -> bool:
    """Say whether the commas of the cell may as well part thousands, as in 1,234."""
    return _THOUSANDS.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    """Say whether the cell is a number, with either decimal sign."""
    stripped = text.strip()
    return _POINT.fullmatch(stripped) is not None or _COMMA.fullmatch(stripped) is not None


def number(text: str, *, decimal_comma: bool) -> float | None:
    """Return the number of a cell, ``LARGEST`` at most; None when it is none. Ask ``is_missing`` first."""
    stripped = text.strip()
    if _POINT.fullmatch(stripped) is None:
        if not decimal_comma or _COMMA.fullmatch(stripped) is None:
            return None
        stripped = stripped.replace(",", ".")
    value = float(stripped)
    return value if abs(value) <= LARGEST else None
