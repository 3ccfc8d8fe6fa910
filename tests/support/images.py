"""Small images made here."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from inspection.imaging.files import encode_png


def png(seed: int = 0, height: int = 24, width: int = 32) -> bytes:
    """Return a PNG of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return encode_png(pixels)


FEW_PIXELS = zlib.compress(b"\0" * 1000)


def png_of_claimed_size(width: int, height: int, packed: bytes | None = FEW_PIXELS) -> bytes:
    """Return a small file whose header claims more than there is; ``packed`` None leaves the pixels out."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", packed) if packed is not None else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")
