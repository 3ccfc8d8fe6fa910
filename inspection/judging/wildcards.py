r"""Wildcard patterns for the text of codes.

``*`` any run of characters, ``?`` one character, ``#`` a digit, ``@`` a letter, ``\\`` escapes the next one.
Regular expressions are not offered: a careless one takes minutes on a long text, and criteria come over the network.
"""

from __future__ import annotations

_ESCAPE = "\\"


def matches(pattern: str, text: str) -> bool:
    """Return whether all of ``text`` matches ``pattern``; the time is O(len(pattern) · len(text))."""
    parts = _parts(pattern)
    place = position = 0
    star, resume = -1, 0
    while position < len(text):
        if place < len(parts) and parts[place] == ("*", True):
            star, resume = place, position
            place += 1
        elif place < len(parts) and _fits(parts[place], text[position]):
            place += 1
            position += 1
        elif star >= 0:
            resume += 1
            place, position = star + 1, resume
        else:
            return False
    return all(part == ("*", True) for part in parts[place:])


def _parts(pattern: str) -> list[tuple[str, bool]]:
    """Return the characters of a pattern, each with whether it is a wildcard."""
    parts: list[tuple[str, bool]] = []
    escaped = False
    for character in pattern:
        if character == _ESCAPE and not escaped:
            escaped = True
            continue
        parts.append((character, not escaped and character in "*?#@"))
        escaped = False
    if escaped:
        parts.append((_ESCAPE, False))
    return parts


def _fits(part: tuple[str, bool], character: str) -> bool:
    symbol, is_wildcard = part
    if not is_wildcard:
        return symbol == character
    if symbol == "#":
        return "0" <= character <= "9"
    if symbol == "@":
        return character.isalpha()
    return symbol == "?"
