"""What a name that people give and read may hold, and when two names are the same."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 200
LONGEST_CODE = 64
LONGEST_KEY = 255

# Control characters, which in a terminal write over others, line ends, and bytes that are no text.
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the order of the letters around them, so that a name reads as another (UAX #9, explicit directions).
_BREAKING = frozenset({"Cc", "Zl", "Zp"})
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_FORMAT = "Cf"
# Default_Ignorable_Code_Point of the Unicode character database, which has kept these blocks for good.
_IGNORABLE = frozenset(
    {0x00AD, 0x034F, 0x061C, 0x3164, 0xFEFF, 0xFFA0}
    | set(range(0x115F, 0x1161))
    | set(range(0x17B4, 0x17B6))
    | set(range(0x180B, 0x1810))
    | set(range(0x200B, 0x2010))
    | set(range(0x202A, 0x202F))
    | set(range(0x2060, 0x2070))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xFFF0, 0xFFF9))
    | set(range(0x1BCA0, 0x1BCA4))
    | set(range(0x1D173, 0x1D17B))
    | set(range(0xE0000, 0xE1000))
)
# They choose the form of the character before them: of kanji in the names of people, and of emoji.
_VARIATION = frozenset({*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)})
_HIDDEN = _IGNORABLE - _VARIATION
_REMOVE_IGNORABLE = dict.fromkeys(_IGNORABLE)


OF_DEVICE, OF_KEY = "device:", "key:"
"""How the audit trail names a station by itself and a machine; no person is named so."""


def is_plain_text(text: str) -> bool:
    """Return whether each character stands for itself; spaces of any width do, control characters do not."""
    return not any(
        unicodedata.category(character) in _UNFIT or unicodedata.bidirectional(character) in _TURNING
        for character in text
    )


def on_one_line(text: str) -> str:
    r"""Return a text, as the name of a file, with what would end or steer its line as an escape: ``\n``."""
    return "".join(
        repr(character)[1:-1] if unicodedata.category(character) in _BREAKING else character for character in text
    )


def is_clear_name(text: str) -> bool:
    """Return whether a name can be distinguished from others by reading it.

    Stricter than ``is_plain_text``: also without what has no width or only directs, such as joiners and direction
    marks, since a name with it reads as the name without. Variation selectors may stay; they change the form.
    """
    return is_plain_text(text) and not any(
        unicodedata.category(character) == _FORMAT or ord(character) in _HIDDEN for character in text
    )


def compatible(text: str) -> str:
    """Return ``text`` in Unicode's form NFKC: one width of letters, digits and katakana, composed characters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def folded(text: str) -> str:
    """Return what is equal for texts that differ in case, width or invisible characters alone (NFKC_Casefold)."""
    if text.isascii():
        return text.lower()
    visible = unicodedata.normalize("NFD", text).casefold().translate(_REMOVE_IGNORABLE)
    # Twice: what a compatibility character stands for may have a case again.
    return compatible(compatible(visible).casefold().translate(_REMOVE_IGNORABLE))


def key_of(name: str) -> str:
    """Return the key by which a name is unique."""
    return folded(name)[:LONGEST_NAME]


def set_apart(key: str, record_id: str) -> str:
    """Return a key of its own for a record whose key another one holds, as records from before the rule may."""
    return f"{key}~{record_id}"[:LONGEST_KEY]


def visible_length(text: str) -> int:
    """Return the number of characters of ``text`` in NFKC, without invisible ones and blanks at its ends."""
    return len(compatible(text).translate(_REMOVE_IGNORABLE).strip())


def names_no_person(name: str) -> bool:
    """Return whether a name is of the form that stands for a station or a machine."""
    return folded(name).startswith((OF_DEVICE, OF_KEY))
