"""Which character set bytes without a declaration are probably in: UTF-8, Shift JIS of Windows, or Windows-1252.

General detectors need hundreds of characters; the headers of a table or the content of a code have a few, and most
texts in Windows-1252 are valid Shift JIS too. Here the two readings are compared by how their characters stand beside
each other: half-width katakana come in runs, accented letters come between letters, a degree sign before C.
"""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass

SHIFT_JIS, WINDOWS_1252 = "cp932", "cp1252"
_ASCII = 128
_COMMON_KANJI = 0x98
"""First byte of the rarer kanji, JIS level 2, in Shift JIS."""
_CERTAIN = 0.5
_LEAST = 0.0
"""Chinese and Korean texts read as Windows-1252 lie below: their letters have no words about them."""
_IMPOSSIBLE = -10.0
_LONG_RUN = 3
_VOICED, _HALF_VOICED = frozenset("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"), frozenset("ﾊﾋﾌﾍﾎ")
"""Half-width katakana that the marks ﾞ and ﾟ follow."""
_BEFORE_SMALL = frozenset("ｷｼﾁﾆﾋﾐﾘﾞﾟ")
"""Those that the small ｬ, ｭ and ｮ follow."""
_NEVER_FIRST = frozenset("ｧｨｩｪｫｬｭｮｯｰﾞﾟ･｡､｣")
_FIRST_HALF = frozenset("ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿｧｨｩｪｫｬｭｮｯｰ")
"""The half of the katakana whose bytes are no Cyrillic letters of KOI8-R."""
_LEAST_CYRILLIC = 8
_SIGNS = "°µ²³±×½¼¾·ºª§€£™®©–—…‘’“”‰ø"
"""Signs of Windows-1252 that occur in units, prices and texts."""


@dataclass(frozen=True, slots=True)
class ProbableEncoding:
    """A character set, as Python names it, and whether the other one is clearly less plausible."""

    name: str
    certain: bool


def probable_encoding(data: bytes) -> ProbableEncoding | None:
    """Return the character set of a text without a byte order mark; None when it is probably none of the three.

    UTF-8 is taken wherever it is valid: other texts are so by chance only when they are very short.
    """
    if _decoded(data, "utf-8") is not None:
        return ProbableEncoding("utf-8", True)
    japanese, western = _decoded(data, SHIFT_JIS), _decoded(data, WINDOWS_1252)
    first = _IMPOSSIBLE if japanese is None else _plausibility_japanese(japanese)
    second = _IMPOSSIBLE if western is None else _plausibility_western(western)
    if max(first, second) < _LEAST:
        return None
    if first >= second and japanese is not None and _is_of_another_set(data, japanese):
        return None
    return ProbableEncoding(SHIFT_JIS if first >= second else WINDOWS_1252, abs(first - second) >= _CERTAIN)


def is_known_encoding(name: str) -> bool:
    """Return whether ``name`` is a character set of texts that Python can decode."""
    try:
        # Codecs between bytes and bytes, such as hex and zip, refuse this.
        return bool("a".encode(codecs.lookup(name).name))
    except (LookupError, UnicodeError, TypeError, ValueError):
        return False


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _plausibility_japanese(text: str) -> float:
    values = []
    for place, character in enumerate(text):
        if ord(character) < _ASCII:
            continue
        if _is_half_width(character):
            beside = (text[place - 1 : place] if place else "") + text[place + 1 : place + 2]
            values.append(1.0 if any(ord(other) >= _ASCII for other in beside) else -1.0)
        elif unicodedata.category(character) in {"Co", "Cc", "Cn"}:
            # Characters that a maker or user added: in texts of other sets they are common, in Japanese ones rare.
            return _IMPOSSIBLE
        elif _is_within_word(text, place):
            values.append(-1.0)
        else:
            values.append(1.0 if character.encode(SHIFT_JIS)[0] < _COMMON_KANJI else -0.5)
    return _mean(values)


def _plausibility_western(text: str) -> float:
    values = []
    run = 0
    for place, character in enumerate(text):
        if ord(character) < _ASCII:
            run = 0
            continue
        run += 1
        before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
        if run >= _LONG_RUN:
            values.append(-1.0)
        elif character in _SIGNS:
            values.append(1.0)
        elif character.isalpha():
            # A capital within a word: "aÄb" is no word, "ÄRA", "Ära" and "Öl" are.
            values.append(
                -1.0 if character.isupper() and before.islower() else 1.0 if (before + after).strip() else 0.5
            )
        else:
            values.append(-0.5)
    return _mean(values)


def _is_of_another_set(data: bytes, text: str) -> bool:
    """Return whether a text read as Shift JIS is probably in EUC-JP or KOI8-R, whose bytes are half-width katakana."""
    beyond = [character for character in text if ord(character) >= _ASCII]
    narrow = [character for character in beyond if _is_half_width(character)]
    if 2 * len(narrow) <= len(beyond):
        return False
    if len(narrow) >= _LEAST_CYRILLIC and _FIRST_HALF.isdisjoint(narrow):
        return True
    return _decoded(data, "euc_jp") is not None and any(
        _is_misplaced(character, text[place - 1] if place else "") for place, character in enumerate(text)
    )


def _is_misplaced(character: str, before: str) -> bool:
    """Return whether a half-width katakana cannot follow the character before it."""
    if character in _NEVER_FIRST and (not before or ord(before) < _ASCII):
        return True
    if not _is_half_width(before):
        return False
    followed = {"ﾞ": _VOICED, "ﾟ": _HALF_VOICED, "ｬ": _BEFORE_SMALL, "ｭ": _BEFORE_SMALL, "ｮ": _BEFORE_SMALL}
    return character in followed and before not in followed[character]


def _is_within_word(text: str, place: int) -> bool:
    """Return whether a character stands alone between small Latin letters, as an accented letter does."""
    beside = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    return all("a" <= other <= "z" for other in beside)


def _is_half_width(character: str) -> bool:
    return "｡" <= character <= "ﾟ"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
