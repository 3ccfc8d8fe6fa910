"""The form of a JSON value that every engine gives back as it was given, so that a digest of it holds for good."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def as_stored(value: Any) -> Any:
    """Return a value of JSON in the form that SQLite and PostgreSQL both give back unchanged.

    PostgreSQL keeps numbers as decimals: a whole number that JSON writes with an exponent (1e16) comes back as an
    integer, and -0.0 without its sign. It refuses NUL and half characters, which become U+FFFD, and what JSON has no
    number for, which becomes text (``"NaN"``). Names of members become text, tuples lists; the last of two members of
    one name stays. Every value in this form stays as it is.

    Raises:
        TypeError: for what is no value of JSON. A bug.
    """
    text = json.dumps(value)
    stored = json.loads(text, parse_float=_number, parse_constant=str)
    return _clear(stored) if "\\u0000" in text or "\\ud" in text else stored


def _number(text: str) -> int | float:
    number = float(text)
    if "e" in text and abs(number) >= 1:
        return int(Decimal(text))
    return number or 0.0


def _clear(value: Any) -> Any:
    if isinstance(value, dict):
        return {_clear(name): _clear(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_clear(part) for part in value]
    return _UNSTORABLE.sub(_REPLACEMENT, value) if isinstance(value, str) else value
