"""The content of a code as text: by the character set it declares, that of the option, or the probable one."""

from __future__ import annotations

from typing import Literal

from models.encodings import probable_encoding

Charset = Literal["auto", "utf-8", "shift-jis", "iso-8859-1", "windows-1252", "euc-jp", "gb18030", "big5", "euc-kr"]

_GUESSED = ("utf-8", "shift_jis", "cp932", "latin-1", "cp1252")
_AS_PYTHON_NAMES = {"shift-jis": "cp932", "windows-1252": "cp1252"}


def text_of(data: bytes, suggested: str, charset: Charset) -> str:
    """Return the content of a code that declares no character set.

    Args:
        data: its content.
        suggested: as the reader understands it; empty where it does not.
        charset: as ISO/IEC 18004 leaves it open what a byte means where a code does not say so; ``auto`` takes UTF-8
            where it is valid, else Shift JIS or Windows-1252, whichever is more plausible.

    Returns:
        the text; where the bytes are invalid in the character set, one character of ISO 8859-1 a byte.
    """
    if charset == "auto":
        probable = probable_encoding(data) if _is_a_guess(suggested, data) else None
        if probable is None or not probable.certain:
            return suggested or data.decode("latin-1")
        return data.decode(probable.name)
    return _decoded(data, _AS_PYTHON_NAMES.get(charset, charset)) or data.decode("latin-1")


def _is_a_guess(suggested: str, data: bytes) -> bool:
    """Return whether the reader only guessed: the modes for kanji and hanzi of a QR code name their character set."""
    return bool(suggested) and suggested in {_decoded(data, encoding) for encoding in _GUESSED}


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
