"""Shapes drawn with exact coverage: every pixel as bright as the share of it that a shape covers says."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels

FINE = 16
Inside = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]


def drawn(
    height: int,
    width: int,
    *shapes: Inside,
    thing: float = 40,
    ground: float = 200,
    noise: float = 0.0,
    seed: int = 0,
) -> Pixels:
    """Grey picture of shapes; each says of points in pixels whether they are inside."""
    places = (np.arange(max(height, width) * FINE) + 0.5) / FINE
    covered = np.zeros((height, width))
    for top in range(0, height, 64):
        rows = min(64, height - top)
        y, x = np.meshgrid(places[top * FINE : (top + rows) * FINE], places[: width * FINE], indexing="ij")
        inside = np.zeros(x.shape, np.bool_)
        for shape in shapes:
            inside |= shape(x, y)
        covered[top : top + rows] = inside.reshape(rows, FINE, width, FINE).mean(axis=(1, 3))
    values = ground + (thing - ground) * covered
    if noise:
        values += np.random.default_rng(seed).normal(0, noise, values.shape)
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def disc(x: float, y: float, radius: float) -> Inside:
    return lambda across, down: (across - x) ** 2 + (down - y) ** 2 <= radius**2


def ellipse(x: float, y: float, half_width: float, half_height: float) -> Inside:
    return lambda across, down: ((across - x) / half_width) ** 2 + ((down - y) / half_height) ** 2 <= 1


def box(x: float, y: float, width: float, height: float, degrees: float = 0.0) -> Inside:
    """A rectangle around its middle ``(x, y)``, turned clockwise."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))

    def inside(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.bool_]:
        along = (across - x) * cosine + (down - y) * sine
        beside = -(across - x) * sine + (down - y) * cosine
        found: NDArray[np.bool_] = (np.abs(along) <= width / 2) & (np.abs(beside) <= height / 2)
        return found

    return inside
