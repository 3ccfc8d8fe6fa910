"""Parsing of table cells: number, missing value, text."""

from __future__ import annotations

import re

MISSING = frozenset({"", "-", "--", "?", "na", "n/a", "nan", "-nan", "null", "none", "欠測", "欠損"})
"""Texts of a missing value, in lower case."""

NO_VALUE = frozenset(
    {
        "#n/a",
        "#div/0!",
        "#value!",
        "#ref!",
        "#name?",
        "#num!",
        "#null!",
        "1.#qnan",
        "-1.#qnan",
        "1.#snan",
        "1.#ind",
        "-1.#ind",
        "nan(ind)",
        "-nan(ind)",
    }
)
"""What spreadsheets and loggers write where a calculation has no result, in lower case: missing, and counted."""

LARGEST = 1e100
"""Upper bound of measurements, so that squares and sums stay finite."""

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_GROUPED = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?", re.ASCII),
}
"""Decimal sign → numbers whose thousands are separated by the other sign."""


def is_missing(text: str) -> bool:
    """Return whether a cell represents a missing value."""
    stripped = text.strip().lower()
    return stripped in MISSING or stripped in NO_VALUE


def is_no_value(text: str) -> bool:
    """Return whether a cell says that there is no result, as ``#DIV/0!`` does."""
    return text.strip().lower() in NO_VALUE


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


def is_whole(text: str) -> bool:
    """Return whether the cell is a number of digits only, with or without a sign."""
    return _WHOLE.fullmatch(text.strip()) is not None


def number(text: str, *, decimal_comma: bool, grouped: bool = False) -> float | None:
    """Return the number in a cell; None when it is not a number or exceeds ``LARGEST`` in magnitude.

    Args:
        text: of the cell.
        decimal_comma: whether the decimal sign is a comma.
        grouped: whether the other sign may separate thousands, as somebody who named the decimal sign knows.
    """
    stripped = text.strip()
    decimal = "," if decimal_comma else "."
    if grouped and _GROUPED[decimal].fullmatch(stripped) is not None:
        stripped = stripped.replace("." if decimal_comma else ",", "").replace(",", ".")
    elif _POINT.fullmatch(stripped) is None:
        if not decimal_comma or _COMMA.fullmatch(stripped) is None:
            return None
        stripped = stripped.replace(",", ".")
    value = float(stripped)
    return value if abs(value) <= LARGEST else None
