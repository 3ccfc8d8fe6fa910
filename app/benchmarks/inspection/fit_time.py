"""How long a training takes: 150 images of 256×256 pixels, held-out threshold, parity check and file included."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from app.benchmarks.probing import Row, peak_megabytes, print_values

IMAGES, QUICK_IMAGES = 150, 40
SIDE = 256
MODEL = "speed.model"
GOOD = "good"
ROWS = (
    Row(
        "fit_s",
        "s",
        f"training on {IMAGES} images of {SIDE}×{SIDE}, 10-fold threshold, parity check and file included",
        at_most=60,
        note="default configuration, two threads, drawn parts",
    ),
    Row("fit_memory_mb", "MB", "most memory of the process that trains"),
)


def main(folder: Path, quick: bool) -> Mapping[str, float]:
    """Train on the drawn parts of ``folder`` and leave the model there."""
    from inspection.anomaly import TrainingSettings, train_images
    from inspection.imaging.datasets import image_files

    draw_images(folder / GOOD, QUICK_IMAGES if quick else IMAGES)
    settings = TrainingSettings(threads=2)
    report = train_images(image_files(folder / GOOD), folder / MODEL, settings)
    if "torch" in sys.modules:
        raise RuntimeError("torch was loaded on the way to a model")
    return {"fit_s": report.seconds, "fit_memory_mb": peak_megabytes()}


def draw_images(folder: Path, count: int) -> None:
    """Draw good parts as JPEG files of ``SIDE`` × ``SIDE`` pixels, unless they are there."""
    from inspection.imaging.files import encode_jpeg
    from inspection.imaging.opencv import cv2
    from models.storage import write_atomically
    from resources.parts import draw_part

    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"{index:04}.jpg"
        if not path.exists():
            part = cv2.resize(draw_part(index).image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            write_atomically(path, encode_jpeg(part.astype("uint8", copy=False), 95))


if __name__ == "__main__":
    print_values(main)
