"""The mark in the file of an overlay, by which a later run tells it from an image of a part (PNG, chunk ``tEXt``)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from models.storage import is_file

_HEADER_END = 33
"""Signature of 8 bytes, and the chunk ``IHDR`` of 25."""


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


_MARK = _chunk(b"tEXt", b"Source\0ImageFlow overlay")


def marked(png: bytes) -> bytes:
    """Return a PNG file with the mark of an overlay."""
    return png[:_HEADER_END] + _MARK + png[_HEADER_END:]


def is_overlay(path: Path) -> bool:
    """Return whether a file bears the mark; False for one that cannot be read, or is no regular file."""
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_END + len(_MARK))[_HEADER_END:] == _MARK
    except OSError:
        # Reading it as an image tells the reason.
        return False
