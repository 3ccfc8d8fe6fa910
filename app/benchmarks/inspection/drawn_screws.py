"""Generated screws that lie at any angle and place, and small defects on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import FloatMap
from models.storage import write_atomically

SIDE = 512
DEFECT_SHARE = 0.003
"""Area of a defect as a share of the image."""
ScrewDefect = Literal["thread", "scratch", "tip", "head"]
SCREW_DEFECTS: tuple[ScrewDefect, ...] = get_args(ScrewDefect)
# Drawn at twice the size and shrunk, so that edges are smooth.
_LARGE = 2 * SIDE
_MIDDLE = _LARGE // 2
_LENGTH, _CORE, _THREAD, _PITCH = 640, 36, 52, 26
_HEAD, _HEAD_LENGTH = 100, 60
_GROUND, _METAL = 205, 120
# Side of a square with the area of a defect.
_SPOT = round(_LARGE * DEFECT_SHARE**0.5)


def draw_screw(seed: int, angle: float, *, defect: ScrewDefect | None = None) -> Pixels:
    """Return a screw of about 8 % of the image, grey ``(SIDE, SIDE)`` uint8.

    Args:
        seed: of the screw, its place, the light and the grain.
        angle: counter-clockwise, in degrees; the light comes from above whatever the angle.
        defect: drawn on it; None for a good one.
    """
    generator = np.random.default_rng(seed)
    relief, metal = _upright(generator, defect)
    shift = generator.uniform(-30, 30, 2)
    matrix = cv2.getRotationMatrix2D((_MIDDLE, _MIDDLE), angle, float(generator.uniform(0.97, 1.03)))
    matrix = matrix + np.column_stack((np.zeros((2, 2)), shift))
    relief, metal = (
        cv2.warpAffine(layer, matrix, (_LARGE, _LARGE), flags=cv2.INTER_LINEAR).astype(np.float32)
        for layer in (relief, metal)
    )
    slope = cv2.Sobel(cv2.GaussianBlur(relief, (0, 0), 1.5), cv2.CV_32F, 0, 1, scale=1 / 8)
    ramp = np.linspace(-6, 6, _LARGE, dtype=np.float32)[:, None] * np.float32(generator.uniform(-1, 1))
    lit = _METAL + 2.2 * relief - 6.0 * slope
    image = (_GROUND + ramp) * (1 - metal) + lit * metal
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grain = generator.normal(0, 3.0, (SIDE, SIDE)).astype(np.float32)
    found: Pixels = np.clip(small + grain, 0, 255).astype(np.uint8)
    return found


def write_screws(folder: Path, seeds: Sequence[int], *, defective: bool = False, turned: bool = True) -> list[Path]:
    """Draw screws as PNG files, each at a random angle unless they are not ``turned``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed in seeds:
        angle = float(np.random.default_rng([seed, 1]).uniform(0, 360)) if turned else 0.0
        defect = SCREW_DEFECTS[seed % len(SCREW_DEFECTS)] if defective else None
        paths.append(folder / f"{seed:04}.png")
        write_atomically(paths[-1], encode_png(draw_screw(seed, angle, defect=defect)))
    return paths


def _upright(generator: np.random.Generator, defect: ScrewDefect | None) -> tuple[FloatMap, FloatMap]:
    """Return relief and coverage of a screw that lies along the rows, both float32."""
    relief = np.zeros((_LARGE, _LARGE), np.float32)
    metal = np.zeros((_LARGE, _LARGE), np.float32)
    length = int(_LENGTH * generator.uniform(0.98, 1.02))
    left = _MIDDLE - length // 2
    right = left + length
    begin = left + _HEAD_LENGTH
    tip = right - _CORE
    cv2.rectangle(metal, (begin, _MIDDLE - _CORE), (tip, _MIDDLE + _CORE), 1.0, -1)
    cv2.fillConvexPoly(metal, _points((tip, -_CORE), (right, -6), (right, 6), (tip, _CORE)), 1.0, cv2.LINE_AA)
    cv2.fillConvexPoly(
        metal, _points((left, -_HEAD), (begin, -_CORE - 20), (begin, _CORE + 20), (left, _HEAD)), 1.0, cv2.LINE_AA
    )
    rows = np.abs(np.arange(_LARGE, dtype=np.float32) - _MIDDLE)
    round_shape = 14 * np.sqrt(np.clip(1 - (rows / _THREAD) ** 2, 0, 1))
    relief[:, left:right] += round_shape[:, None]
    phase = float(generator.uniform(0, _PITCH))
    missing = begin + 160 + int(generator.integers(0, 250)) if defect == "thread" else None
    for turn in range(int(begin + 90 + phase), tip - 8, _PITCH):
        if missing is not None and missing <= turn < missing + _SPOT:
            continue
        ridge = _points((turn - 6, -_THREAD), (turn + 4, -_THREAD), (turn + 16, _THREAD), (turn + 6, _THREAD))
        cv2.fillConvexPoly(metal, ridge, 1.0, cv2.LINE_AA)
        cv2.fillConvexPoly(relief, ridge, 26.0, cv2.LINE_AA)
    if defect == "scratch":
        x = begin + 20 + int(generator.integers(0, 300))
        y = int(generator.integers(-_CORE // 2, _CORE // 2))
        cv2.line(relief, (x, _MIDDLE + y), (x + 2 * _SPOT, _MIDDLE + y + 14), -5.0, _SPOT // 5, cv2.LINE_AA)
    elif defect == "tip":
        cv2.rectangle(metal, (right - _SPOT // 2, 0), (right, _LARGE), 0.0, -1)
    elif defect == "head":
        y = int(generator.integers(-_HEAD // 2, _HEAD // 2))
        cv2.circle(relief, (left + _HEAD_LENGTH // 2, _MIDDLE + y), round(_SPOT / 2), -5.0, -1, cv2.LINE_AA)
    return relief, metal


def _points(*places: tuple[int, int]) -> NDArray[np.int32]:
    """Return corners from their columns and their rows above or below the middle."""
    return np.array([(x, _MIDDLE + y) for x, y in places], np.int32)
