"""Parsing of table cells: number, missing value, text."""

from __future__ import annotations

import re

MISSING = frozenset({"", "-", "--", "?", "na", "n/a", "nan", "null", "none", "#n/a", "欠測", "欠損"})
"""Texts of a missing value, in lower case."""

LARGEST = 1e100
"""Upper bound of measurements, so that squares and sums stay finite."""

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)


def is_missing(text: str) -> bool:
    """Return whether a cell represents a missing value."""
    return text.strip().lower() in MISSING


def has_decimal_point(text: str) -> bool:
    """Return whether the cell is a number with a decimal point."""
    return "." in text and _POINT.fullmatch(text.strip()) is not None


def has_decimal_comma(text: str) -> bool:
    """Return whether the cell can be parsed as a number with a decimal comma."""
    return "," in text and _COMMA.fullmatch(text.strip()) is not None


def looks_like_thousands(text: str) -> bool:
    """Return whether the commas of the cell may be thousands separators, as in 1,234."""
    return _THOUSANDS.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    """Return whether the cell is a number, with either decimal separator."""
    stripped = text.strip()
    return _POINT.fullmatch(stripped) is not None or _COMMA.fullmatch(stripped) is not None


def number(text: str, *, decimal_comma: bool) -> float | None:
    """Return the number in a cell; None when it is not a number or exceeds ``LARGEST`` in magnitude."""
    stripped = text.strip()
    if _POINT.fullmatch(stripped) is None:
        if not decimal_comma or _COMMA.fullmatch(stripped) is None:
            return None
        stripped = stripped.replace(",", ".")
    value = float(stripped)
    return value if abs(value) <= LARGEST else None
