"""Several photographs of each of some parts: near duplicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from resources.parts import draw_part


def save_photographs(folder: Path, parts: int, each: int) -> list[Path]:
    """Write noisy photographs in slightly different light, ``each`` of every part, and return their files."""
    folder.mkdir(exist_ok=True)
    paths = []
    for part in range(parts):
        for photograph in range(each):
            paths.append(folder / f"{part}-{photograph}.png")
            paths[-1].write_bytes(encode_png(photograph_of(part, photograph)))
    return paths


def photograph_of(part: int, photograph: int) -> Pixels:
    """Return one photograph of a part."""
    image = draw_part(part).image.astype(np.float32)
    noise = np.random.default_rng([part, photograph]).normal(0, 3, image.shape)
    return np.clip(image * (0.97 + 0.03 * photograph) + noise, 0, 255).astype(np.uint8)
