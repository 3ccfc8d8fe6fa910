"""The directory of a TIFF: size in pixels and where the pixels lie (TIFF 6.0 section 2)."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.damage import DamagedError, TruncatedError

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT = 256, 257
_STRIPS = ((273, 279), (324, 325))
_READ = {_WIDTH, _HEIGHT, *(tag for pair in _STRIPS for tag in pair)}
_AT_ONCE = 1 << 16


def tiff_size(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels.

    Raises:
        TruncatedError: when an entry of the directory lies beyond the end.
        DamagedError: without width or height.
        struct.error: when the directory ends early.
    """
    entries = _entries(data)
    try:
        return int(entries[_WIDTH][0]), int(entries[_HEIGHT][0])
    except (KeyError, IndexError) as error:
        raise DamagedError("tiff: no width or height") from error


def require_complete_tiff(data: bytes) -> None:
    """Check that every strip or tile lies within the file.

    Raises:
        TruncatedError: when one lies beyond the end.
        DamagedError: when there is none.
        struct.error: when the directory ends early.
    """
    entries = _entries(data)
    for offsets, counts in _STRIPS:
        if offsets not in entries:
            continue
        begins, sizes = entries[offsets], entries.get(counts, entries[offsets][:0])
        for first in range(0, min(len(begins), len(sizes)), _AT_ONCE):
            some = slice(first, min(first + _AT_ONCE, len(begins), len(sizes)))
            if int((begins[some].astype(np.int64) + sizes[some]).max()) > len(data):
                raise TruncatedError("tiff: a strip lies beyond the end")
        return
    raise DamagedError("tiff: no pixels")


def _entries(data: bytes) -> dict[int, NDArray[np.unsignedinteger]]:
    """Return the needed entries of the first directory by tag, as views of the data.

    Entries may overlap: a file of a few kilobytes can name millions of values, and none of them is copied.
    """
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    entries: dict[int, NDArray[np.unsignedinteger]] = {}
    for index in range(count):
        place = start + 2 + index * 12
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
        if kind not in {_SHORT, _LONG}:
            continue
        size = _SIZES[kind] * number
        at = place + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, place + 8)[0]  # noqa: PLR2004
        if at + size > len(data):
            raise TruncatedError("tiff: an entry lies beyond the end")
        if tag in _READ:
            width = "u2" if kind == _SHORT else "u4"
            entries[tag] = np.frombuffer(data, np.dtype(order + width), number, at)
    return entries
