"""GIF: size and number of frames (GIF89a specification, sections 18 to 27)."""

from __future__ import annotations

import struct

from inspection.imaging.damage import DamagedError, TruncatedError

_FIRST_BLOCK = 13
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_TABLE = 0x80


def gif_properties(data: bytes) -> tuple[int, int, int]:
    """Return width, height and the number of frames; every block is there.

    Raises:
        TruncatedError: when there is no end.
        DamagedError: when a block is unknown or a frame is larger than the image.
        struct.error, IndexError: when the bytes end early.
    """
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position, frames = _FIRST_BLOCK + _table_size(flags), 0
    while data[position] != _TRAILER:
        kind = data[position]
        if kind == _IMAGE:
            left, top, across, down = struct.unpack_from("<HHHH", data, position + 1)
            if left + across > width or top + down > height:
                # Whoever decodes it would take memory for more than the header says.
                raise DamagedError("gif: a frame lies beyond the image")
            frames += 1
            position += 10 + _table_size(data[position + 9]) + 1
        elif kind == _EXTENSION:
            position += 2
        else:
            raise DamagedError("gif: unknown block")
        while length := data[position]:
            position += 1 + length
        position += 1
    if not frames:
        raise TruncatedError("gif: no frame")
    return width, height, frames


def _table_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & _TABLE else 0
