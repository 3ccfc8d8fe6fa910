"""Generated parts of 20 megapixels with a ground surface, and small pits on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inspection.imaging.files import encode_jpeg
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import FloatMap
from models.storage import write_atomically

WIDTH, HEIGHT = 5472, 3648
PIT = 30
"""Side of a pit in pixels."""
_BORDER = 200
_HOLES = 5
_QUALITY = 92


def draw_large_part(seed: int, *, pit: bool = False) -> tuple[Pixels, tuple[int, int] | None]:
    """Return a part, RGB ``(HEIGHT, WIDTH, 3)`` uint8, and the x and y of its pit; None without one.

    A brushed plate with shading, blotches and a grid of holes that are not quite in place. The pit is a dark spot of
    ``PIT`` pixels with a brighter rim, at a random place beside the holes.
    """
    generator = np.random.default_rng(seed)
    shade = generator.normal(0, 6, (5, 7)).astype(np.float32)
    surface = 150 + _enlarged(shade, cv2.INTER_CUBIC)
    blotches = generator.normal(0, 4, (HEIGHT // 24, WIDTH // 24)).astype(np.float32)
    surface += _enlarged(blotches, cv2.INTER_LINEAR)
    # Brushed along the rows: coarse noise, stretched.
    brushed = generator.standard_normal((HEIGHT, WIDTH // 32), dtype=np.float32) * 5
    surface += _enlarged(brushed, cv2.INTER_LINEAR)
    holes = np.zeros((HEIGHT, WIDTH), np.float32)
    centres = []
    for row in range(1, _HOLES):
        for column in range(1, _HOLES + 2):
            x = int(column * WIDTH / (_HOLES + 2) + generator.integers(-12, 13))
            y = int(row * HEIGHT / _HOLES + generator.integers(-12, 13))
            cv2.circle(holes, (x, y), 110, 1.0, -1, cv2.LINE_AA)
            centres.append((x, y))
    surface = surface * (1 - holes) + 45 * holes
    place = _place(generator, centres) if pit else None
    if place is not None:
        _dent(surface, place)
    grey = np.clip(surface, 0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False), place


def write_large_parts(folder: Path, seeds: Sequence[int], *, pit: bool = False) -> dict[Path, tuple[int, int] | None]:
    """Draw parts as JPEG files; return the place of the pit on each."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {}
    for seed in seeds:
        pixels, place = draw_large_part(seed, pit=pit)
        path = folder / f"{seed:04}.jpg"
        write_atomically(path, encode_jpeg(pixels, _QUALITY))
        places[path] = place
    return places


def _enlarged(values: FloatMap, interpolation: int) -> FloatMap:
    return cv2.resize(values, (WIDTH, HEIGHT), interpolation=interpolation).astype(np.float32, copy=False)


def _place(generator: np.random.Generator, holes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return a place away from the edges and the holes."""
    while True:
        x = int(generator.integers(_BORDER, WIDTH - _BORDER))
        y = int(generator.integers(_BORDER, HEIGHT - _BORDER))
        if all((x - left) ** 2 + (y - top) ** 2 > _BORDER**2 for left, top in holes):
            return x, y


def _dent(surface: FloatMap, place: tuple[int, int]) -> None:
    """Draw a pit into ``surface`` in place."""
    reach = PIT
    x, y = place
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    distance = np.sqrt(across**2 + down**2) / (PIT / 2)
    depth = -60 * np.clip(1.15 - distance, 0, 1) + 18 * np.exp(-(((distance - 1.0) / 0.2) ** 2))
    surface[y - reach : y + reach + 1, x - reach : x + reach + 1] += depth
