"""Small videos made here, intact or with a damaged place."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from inspection.imaging.opencv import cv2

COUNT = 60
SECTOR = 4096


def video(path: Path, code: str) -> Path:
    """Write a video of a bar that moves over noise, a frame a column."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 25, (192, 192))
    assert writer.isOpened()
    ground = np.random.default_rng(0).integers(0, 255, (192, 192, 3), np.uint8)
    for number in range(COUNT):
        image = np.roll(ground, number, axis=0)
        image[:, number : number + 8] = 255
        writer.write(image)
    writer.release()
    return path


def damage(path: Path, *, where: float = 0.5, length: int = 10 * SECTOR) -> Path:
    """Zero bytes from a share of the file on, as bad sectors of a disk are read."""
    data = bytearray(path.read_bytes())
    begin = int(len(data) * where)
    zeros = len(data[begin : begin + length])
    data[begin : begin + zeros] = bytes(zeros)
    path.write_bytes(data)
    return path


def pause(path: Path, *, after: int, milliseconds: int) -> Path:
    """Move the frames of MJPEG in Matroska after a number to a later time, as a variable frame rate has it."""
    data = bytearray(path.read_bytes())
    for number in range(after + 1, COUNT):
        time = number * 40
        at = data.index(b"\xe7\x82" + time.to_bytes(2, "big"), cluster(data, number)) + 2
        data[at : at + 2] = (time + milliseconds).to_bytes(2, "big")
    path.write_bytes(data)
    return path


def cluster(data: bytes | bytearray, number: int) -> int:
    """Return where a cluster of a Matroska file begins; of MJPEG each frame has one."""
    position = -1
    for _ in range(number + 1):
        position = data.index(b"\x1f\x43\xb6\x75", position + 1)
    return position


def without_pictures(path: Path, numbers: set[int]) -> Path:
    """Rewrite an AVI file so that some frames are empty, as a recorder writes those that its camera did not deliver."""
    data = path.read_bytes()
    movi, index = data.index(b"movi"), data.rindex(b"idx1")
    frames, entries = b"movi", b""
    for number, at in enumerate(range(index + 8, index + 8 + COUNT * 16, 16)):
        name, flags, place, length = struct.unpack("<4sIII", data[at : at + 16])
        picture = b"" if number in numbers else data[movi + place + 8 : movi + place + 8 + length]
        entries += struct.pack("<4sIII", name, flags, len(frames), len(picture))
        frames += name + struct.pack("<I", len(picture)) + picture + bytes(len(picture) % 2)
    body = data[8 : movi - 4] + struct.pack("<I", len(frames)) + frames
    body += b"idx1" + struct.pack("<I", len(entries)) + entries
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path
