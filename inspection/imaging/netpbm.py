"""Netpbm: PBM, PGM and PPM, as text and as bytes (netpbm manual, ``pbm(5)``, ``pgm(5)``, ``ppm(5)``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.damage import DamagedError, TruncatedError

_NUMBER = re.compile(rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])*([0-9]{1,10})")
_BEGIN = re.compile(rb"P[1-6][ \t\r\n\v\f#]")
_MOST_IMAGES = 10_000
_BLANKS = b" \t\r\n\v\f"
_NO_NUMBERS = re.compile(rb"[^0-9 \t\r\n\v\f]")
_TEXT = {b"P1", b"P2", b"P3"}
_BITS = {b"P1", b"P4"}
_COLOUR = {b"P3", b"P6"}
_LONGEST_HEADER = 65_536
_LARGEST_VALUE, _ONE_BYTE = 65_535, 255


@dataclass(frozen=True, slots=True)
class NetpbmHeader:
    """What the header says.

    Attributes:
        kind: ``P1`` to ``P6``.
        width: columns.
        height: rows.
        largest: the value of white; 1 of a PBM.
        begin: where the pixels begin.
    """

    kind: bytes
    width: int
    height: int
    largest: int
    begin: int

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return 3 if self.kind in _COLOUR else 1

    @property
    def needed_bytes(self) -> int:
        """Bytes of the pixels at least."""
        if self.kind == b"P4":
            return -(-self.width // 8) * self.height
        samples = self.width * self.height * self.channels
        if self.kind in _TEXT:
            return samples
        return samples * (2 if self.largest > _ONE_BYTE else 1)


def netpbm_header(data: bytes, start: int = 0) -> NetpbmHeader:
    """Return the header of the image that begins at ``start``.

    Raises:
        TruncatedError: when the bytes end early.
        DamagedError: when a number is missing or out of its bounds.
    """
    kind, position, numbers = bytes(data[start : start + 2]), start + 2, []
    for _ in range(2 if kind in _BITS else 3):
        match = _NUMBER.match(data, position, position + _LONGEST_HEADER)
        if match is None:
            raise (TruncatedError if len(data) - start < _LONGEST_HEADER else DamagedError)(
                "netpbm: a number is missing"
            )
        position = match.end()
        numbers.append(int(match[1]))
    width, height, largest = (*numbers, 1)[:3]
    if not 0 < largest <= _LARGEST_VALUE:
        raise DamagedError("netpbm: the value of white is out of bounds")
    return NetpbmHeader(kind, width, height, largest, position + 1)


def netpbm_images(data: bytes, first: NetpbmHeader) -> int:
    """Return how many images the file holds: those stored as bytes may follow each other without anything between."""
    count, header = 1, first
    while header.kind not in _TEXT and count < _MOST_IMAGES:
        following = header.begin + header.needed_bytes
        if _BEGIN.match(data, following) is None:
            break
        try:
            header = netpbm_header(data, following)
        except (TruncatedError, DamagedError):
            # What follows only begins like an image.
            break
        count += 1
    return count


def require_complete_netpbm(data: bytes) -> None:
    """Check that the pixels are all there.

    Raises:
        TruncatedError: when there are fewer.
        DamagedError: as ``netpbm_header``.
    """
    header = netpbm_header(data)
    if header.begin + header.needed_bytes > len(data):
        raise TruncatedError("netpbm: the pixels end early")


def netpbm_values(data: bytes) -> NDArray[Any]:
    """Return the stored values, uint8 or uint16, ``(H, W)`` or RGB ``(H, W, 3)``; of a PBM white is 1.

    Raises:
        TruncatedError: when there are fewer values than the header says.
        DamagedError: when one is no number, or larger than white.
    """
    header = netpbm_header(data)
    shape = (header.height, header.width) if header.channels == 1 else (header.height, header.width, 3)
    count = header.height * header.width * header.channels
    if header.kind == b"P4":
        rows = np.frombuffer(data, np.uint8, header.needed_bytes, header.begin).reshape(header.height, -1)
        return 1 - np.unpackbits(rows, axis=1)[:, : header.width]
    if header.kind in _TEXT:
        values = _text_values(data, header, count)
    else:
        dtype = np.dtype(">u2" if header.largest > _ONE_BYTE else "u1")
        values = np.frombuffer(data, dtype, count, header.begin)
    can_exceed = header.largest not in {_ONE_BYTE, _LARGEST_VALUE} or header.kind in _TEXT
    if can_exceed and values.size and int(values.max()) > header.largest:
        raise DamagedError("netpbm: a value is larger than white")
    return values.astype(np.uint16 if header.largest > _ONE_BYTE else np.uint8, copy=False).reshape(shape)


def _text_values(data: bytes, header: NetpbmHeader, count: int) -> NDArray[np.uint32]:
    text = re.sub(rb"#[^\r\n]*", b" ", data[header.begin - 1 :])
    if _NO_NUMBERS.search(text):
        raise DamagedError("netpbm: a value is no number")
    values: NDArray[np.uint32]
    if header.kind == b"P1":
        # The digits of a PBM need no blanks between them.
        digits = np.frombuffer(text.translate(None, _BLANKS), np.uint8)[:count]
        values = (digits == ord("0")).astype(np.uint32)
    else:
        found = np.fromstring(text.decode("ascii"), np.float64, sep=" ")[:count]
        values = np.minimum(found, 2 * _LARGEST_VALUE).astype(np.uint32)
    if len(values) < count:
        raise TruncatedError("netpbm: the pixels end early")
    return values
