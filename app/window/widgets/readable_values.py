"""Values of records as a person reads them on a screen."""

from __future__ import annotations

import re

_LONGEST = 600
"""Characters of a value that are shown: more, such as of a whole pipeline, nobody reads on a screen."""
_DIGEST = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")
_LONG_WORD = re.compile(r"(\S{24})(?=\S)")
_BREAK = "\u200b"


def readable(value: str) -> str:
    """Return a value cut to what is read, a SHA-256 as its first digits, and long words so that they may be broken."""
    short = _DIGEST.sub(r"\1…", value)
    cut = short if len(short) <= _LONGEST else f"{short[:_LONGEST]}…"
    return _LONG_WORD.sub(rf"\1{_BREAK}", cut)
