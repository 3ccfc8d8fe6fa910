"""WebP: size, transparency and number of frames (RFC 9649)."""

from __future__ import annotations

import struct

from inspection.imaging.damage import DamagedError

_ALPHA, _ANIMATION = 0x10, 0x02
_FIRST_CHUNK = 12


def webp_properties(data: bytes) -> tuple[int, int, bool, int]:
    """Return width, height, whether there is an alpha channel, and the number of frames.

    Raises:
        DamagedError: when the first chunk is unknown.
        struct.error: when the bytes end early.
    """
    kind = data[12:16]
    if kind == b"VP8X":
        (flags,) = struct.unpack_from("<B", data, 20)
        struct.unpack_from("<6s", data, 24)
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height, bool(flags & _ALPHA), _frames(data) if flags & _ANIMATION else 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1), 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF, False, 1
    raise DamagedError("webp: unknown chunk")


def _frames(data: bytes) -> int:
    found, position = 0, _FIRST_CHUNK
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        found += kind == b"ANMF"
        position += 8 + size + size % 2
    return max(found, 1)
