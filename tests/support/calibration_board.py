"""A chessboard that a camera is calibrated with, and the options that describe it."""

from __future__ import annotations

import numpy as np

from inspection.imaging.frames import Pixels

COLUMNS, ROWS, SIDE = 8, 6, 40
BOARD = ("--columns", COLUMNS, "--rows", ROWS, "--square-mm", 2)


def board() -> Pixels:
    """A board of 9 × 7 squares of 40 pixels on white."""
    squares = np.kron(np.indices((ROWS + 1, COLUMNS + 1)).sum(axis=0) % 2, np.ones((SIDE, SIDE))) * 200 + 30
    return np.pad(squares, 60, constant_values=230).astype(np.uint8)
