"""Small videos made here, intact or with a damaged place."""

from __future__ import annotations

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


def damage(path: Path) -> Path:
    """Zero a sector in the middle, as a bad one of a disk is read."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 10 * SECTOR] = bytes(10 * SECTOR)
    path.write_bytes(data)
    return path
