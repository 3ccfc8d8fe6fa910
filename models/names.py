"""What a name that people give and read may hold: of a model, of a class."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 200

# Control characters, which in a terminal write over others, line ends, and bytes that are no text.
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the order of the letters around them, so that a name reads as another (UAX #9, explicit directions).
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def is_plain_text(text: str) -> bool:
    """Return whether each character stands for itself; spaces of any width do, control characters do not."""
    return not any(
        unicodedata.category(character) in _UNFIT or unicodedata.bidirectional(character) in _TURNING
        for character in text
    )
