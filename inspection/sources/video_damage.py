"""Whether the structure of a video file is damaged: what proves that a jump of its timestamps is a loss.

A variable frame rate jumps too, so that a jump alone proves nothing. Only the headers are read, never the pictures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TOP_LEVEL = {
    _EBML, _SEGMENT, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367,
    0xEC, 0xBF,
}  # fmt: skip
_IN_A_CLUSTER = {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854, 0xAF, 0xEC, 0xBF}
_BLOCKS = frozenset({0xA3, 0xA0})
_MATROSKA = {".mkv", ".webm"}
_TS_PACKET, _TS_SYNC, _TS_CHUNK = 188, 0x47, 4096
_INDEX_ENTRY, _FIRST_FRAMES = 16, 64
_PICTURES = {b"dc", b"db"}


def structure_damaged(path: Path) -> bool:
    """Return whether a Matroska file or a transport stream has bytes where its structure wants a header.

    False for other containers: their tables of frames tell what should be there.

    Raises:
        OSError: when the file cannot be read.
    """
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if suffix in _MATROSKA:
            return _matroska_damaged(file, size)
        return suffix == ".ts" and _stream_damaged(file)


def beginning_damaged(path: Path) -> bool:
    """Return whether the structure of a Matroska file is damaged before its first frame; False for other containers.

    Raises:
        OSError: when the file cannot be read.
    """
    if path.suffix.lower() not in _MATROSKA:
        return False
    with path.open("rb") as file:
        return _matroska_damaged(file, os.fstat(file.fileno()).st_size, until=_BLOCKS)


class AviIndex:
    """Which frames of an AVI file are at their places; every frame for other containers, and where there is no index.

    Args:
        path: of the video.

    Attributes:
        empty: how many frames have no picture, as a recorder writes for those that its camera did not deliver.

    Raises:
        OSError: when the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._origin = 0
        self._frames: list[bytes] = []
        self.empty = 0
        if path.suffix.lower() == ".avi":
            with path.open("rb") as file:
                self._origin, listed = _avi_frames(file, os.fstat(file.fileno()).st_size)
            self._frames = [entry for entry in listed if any(entry[12:16])]
            self.empty = len(listed) - len(self._frames)

    def lacking_from(self, number: int) -> int:
        """Return how many frames in a row, from this number on, have no header where the index says.

        Raises:
            OSError: when the file cannot be read.
        """
        if number >= len(self._frames):
            return 0
        lacking = 0
        with self._path.open("rb") as file:
            for entry in self._frames[number:]:
                if _in_place(file, self._origin, entry):
                    break
                lacking += 1
        return lacking


def _matroska_damaged(file: BinaryIO, size: int, until: frozenset[int] = frozenset()) -> bool:
    """Return whether an element is damaged, up to the first of those in ``until``."""
    while (position := file.tell()) < size:
        identifier = _number(file, keep_marker=True)
        length = _number(file, keep_marker=False)
        if identifier is None or length is None or identifier not in _TOP_LEVEL | _IN_A_CLUSTER:
            return True
        if identifier in until:
            return False
        if identifier in {_SEGMENT, _CLUSTER}:
            continue
        end = file.tell() + length
        if end > size or end <= position:
            return True
        file.seek(end)
    return False


def _number(file: BinaryIO, *, keep_marker: bool) -> int | None:
    """Return a number of EBML, whose first set bit tells how many bytes it has; None where there is none."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    if len(rest) < more:
        return None
    head = first[0] if keep_marker else first[0] ^ (0x80 >> more)
    return int.from_bytes(bytes([head]) + rest, "big")


def _stream_damaged(file: BinaryIO) -> bool:
    while chunk := file.read(_TS_PACKET * _TS_CHUNK):
        if any(sync != _TS_SYNC for sync in chunk[::_TS_PACKET]):
            return True
    return False


def _avi_frames(file: BinaryIO, size: int) -> tuple[int, list[bytes]]:
    """Return where the places in the index are counted from, and its entries of the video.

    No entries when none of the first frames is found: an index that is not understood proves nothing.
    """
    movi, index = _avi_parts(file, size)
    entries = [index[at : at + _INDEX_ENTRY] for at in range(0, len(index), _INDEX_ENTRY)]
    stream = next((entry[:4] for entry in entries if entry[2:4] in _PICTURES), b"")
    frames = [entry for entry in entries if entry[:4] == stream]
    # They are counted from the list of frames, by some programs from the beginning of the file.
    for origin in (movi, 0):
        if any(_in_place(file, origin, entry) for entry in frames[:_FIRST_FRAMES]):
            return origin, frames
    return movi, []


def _in_place(file: BinaryIO, origin: int, entry: bytes) -> bool:
    file.seek(origin + int.from_bytes(entry[8:12], "little"))
    name = file.read(4)
    return name[:2] == entry[:2] and name[2:] in _PICTURES


def _avi_parts(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Return where the list of frames begins, at its name, and the index; empty where there is none."""
    movi, index = 0, b""
    file.seek(12)
    while file.tell() + 8 <= size and not index:
        name, length = file.read(4), int.from_bytes(file.read(4), "little")
        body = file.tell()
        if name == b"LIST" and file.read(4) == b"movi":
            movi = body
        elif name == b"idx1":
            file.seek(body)
            index = file.read(length - length % _INDEX_ENTRY)
        file.seek(body + length + length % 2)
    return movi, index
