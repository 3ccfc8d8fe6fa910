"""PNG: its chunks, and whether its pixels are as many as its header says (W3C PNG, sections 5, 7 and 8)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from inspection.imaging.damage import DamagedError, TruncatedError

_SIGNATURE_LENGTH = 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column, first row, and steps of the seven passes of Adam7.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_AT_ONCE = 1 << 20
_WITH_ALPHA = (4, 6)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and body of each chunk up to the last one, each with its checksum checked.

    Raises:
        DamagedError: when a checksum is wrong.
        struct.error: when the bytes end early.
    """
    position = _SIGNATURE_LENGTH
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        body_end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", data, body_end)
        if zlib.crc32(memoryview(data)[position + 4 : body_end]) != checksum:
            raise DamagedError("png: wrong checksum")
        yield kind, memoryview(data)[position + 8 : body_end]
        position = body_end + 4


def require_png_pixels(data: bytes) -> None:
    """Check that the packed pixels of a complete PNG are as many as its header says.

    Unpacks them piece by piece and never more than needed; for files that are kept, not for every frame.

    Raises:
        TruncatedError: when there are fewer.
        DamagedError: when they cannot be unpacked.
    """
    width, height, bits, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if colour not in _CHANNELS:
        raise DamagedError("png: unknown kind of colour")
    missing = _unpacked_bytes(width, height, bits * _CHANNELS[colour], interlaced=interlace != 0)
    unpacker = zlib.decompressobj()
    try:
        for kind, body in png_chunks(data):
            packed: bytes | memoryview = body if kind == b"IDAT" else b""
            while packed and missing > 0:
                missing -= len(unpacker.decompress(packed, _AT_ONCE))
                packed = unpacker.unconsumed_tail
        if missing > 0:
            missing -= len(unpacker.flush())
    except zlib.error as error:
        raise DamagedError("png: the pixels cannot be unpacked") from error
    if missing > 0:
        raise TruncatedError("png: the pixels end early")


def _unpacked_bytes(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Return how many bytes the pixels have unpacked: each row of each pass, with the byte of its filter."""
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def png_properties(data: bytes) -> tuple[int, bool, int, int | None]:
    """Return bits of a sample, whether there is transparency, the number of frames, and the significant bits.

    Reads the chunks before the pixels; what follows is not checked. Significant bits are None where none are declared.

    Raises:
        struct.error: when the bytes end early.
    """
    bits, colour = struct.unpack_from(">BB", data, 24)
    alpha, frames, significant = colour in _WITH_ALPHA, 1, None
    position, kind = _SIGNATURE_LENGTH, b""
    while position + 8 <= len(data) and kind != b"IDAT":
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"tRNS":
            alpha = True
        elif kind == b"acTL":
            (frames,) = struct.unpack_from(">I", data, position + 8)
        elif kind == b"sBIT" and length:
            (significant,) = struct.unpack_from(">B", data, position + 8)
        position += 12 + length
    return bits, alpha, max(frames, 1), significant
