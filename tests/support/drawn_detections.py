"""A few drawn images that one box fills, and their ``data.yaml``: what a detector guesses before it learns."""

from pathlib import Path

import numpy as np

from inspection.imaging.files import encode_png
from inspection.imaging.opencv import cv2

SIDE = 40
_COARSE = 3


def draw_detections(folder: Path, *, train: int = 4, val: int = 2, name: str = "傷") -> Path:
    """Draw coarse noise, the whole image its only box; the names of the images and of the class are Japanese."""
    for part, count in (("train", train), ("val", val)):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for number in range(count):
            noise = np.random.default_rng(number).integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8)
            image = cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
            (folder / "images" / part / f"部品 {number}.png").write_bytes(encode_png(image))
            (folder / "labels" / part / f"部品 {number}.txt").write_text("0 0.5 0.5 1 1\n")
    described = folder / "data.yaml"
    described.write_text(f"train: images/train\nval: images/val\nnames: [{name}]\n", encoding="utf-8")
    return described
