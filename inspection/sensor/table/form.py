"""How a table is to be read, and what was assumed where that was left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class TableForm:
    """What somebody knows about a table; what is left open is taken from the file.

    Attributes:
        encoding: character set, as Python names it; empty takes the plausible one.
        decimal: the decimal sign; None takes the one that fits all numbers.
        skip_lines: lines before the header, or before the first row without one; None finds them.
        missing: texts and numbers that stand for a missing value, such as ``Bad`` or ``-999``.
    """

    encoding: str = ""
    decimal: Decimal | None = None
    skip_lines: int | None = None
    missing: tuple[str, ...] = ()


ANY_FORM = TableForm()


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that was assumed about a file, or left out of it: code of its text, and the values of the text."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
