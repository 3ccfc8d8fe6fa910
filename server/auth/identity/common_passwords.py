"""Passwords that are tried first: a list of common ones, what is made of them, words that everybody here knows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from models.passwords import prepared

_OF_THE_SERVICE = ("imageflow", "imageflow station", "imageflow server")


_ROWS = ("0123456789" * 26, "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHORTEST_RUN = 3


def is_common(password: str, names: Iterable[str] = ()) -> bool:
    """Return whether a password is a common or an expected one, or a name of the account (NIST SP 800-63B, 3.1.1.2).

    Expected is one of these repeated, or with a run of keys or of one character before or after it, and such runs by
    themselves. The whole password is compared, in any case and width. ``zxcvbn`` would find more, but takes seconds for
    some passwords of 24 characters.

    Args:
        password: as typed.
        names: of the account.
    """
    text = prepared(password).casefold().strip()
    known = _common() | {prepared(name).casefold() for name in (*_OF_THE_SERVICE, *names)}
    for tried in (text, _repeated_unit(text)):
        left = {tried, _without_run(tried), _without_run(tried[::-1])[::-1]}
        if "" in left or not left.isdisjoint(known):
            return True
    return False


def _repeated_unit(text: str) -> str:
    """Return the shortest text that ``text`` repeats, without blanks between; ``text`` itself where it repeats none."""
    borders = [0]
    for place in range(1, len(text)):
        border = borders[-1]
        while border and text[place] != text[border]:
            border = borders[border - 1]
        borders.append(border + (text[place] == text[border]))
    unit = text[: len(text) - borders[-1]].strip()
    return unit if 2 * len(unit) <= len(text) else text


def _without_run(text: str) -> str:
    """Return a text without the runs of keys, or of one character, that it ends with; empty for runs alone."""
    while text:
        start = len(text) - 1
        while start and _is_run(text[start - 1 :]):
            start -= 1
        if len(text) - start < _SHORTEST_RUN:
            return text
        text = text[:start]
    return text


def _is_run(text: str) -> bool:
    return len(set(text)) == 1 or any(text in row or text in row[::-1] for row in _ROWS)


@cache
def _common() -> frozenset[str]:
    """Return the 30,000 most used passwords, loaded with the first new password."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
