"""What a process that only inspects with a detector takes: a process of its own, without torch.

``python -m app.benchmarks.inspection.detector_station MODEL THREADS LISTING`` prints one JSON object; the listing
is a JSON file with the paths of images.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.benchmarks.probing import peak_megabytes
from inspection.detection.model.detector import Detector
from inspection.detection.model_file.bundle import read_detector
from inspection.detection.model_file.loading import open_bundle
from inspection.imaging.files import read_image


def main(arguments: list[str]) -> dict[str, float]:
    """Return ``throughput_per_s``, images decoded and inspected, and ``memory_mb``, the most this process took."""
    path, threads, listing = arguments
    model = open_bundle(read_detector(Path(path)), Path(path).name, int(threads))
    if not isinstance(model, Detector):
        raise TypeError(f"{path} is no detector")
    images = [Path(image) for image in json.loads(Path(listing).read_text(encoding="utf-8"))]
    model.find(read_image(images[0]))
    with ThreadPoolExecutor(2) as pool:
        began = time.perf_counter()
        for _ in pool.map(lambda image: model.find(read_image(image)), images):
            pass
        throughput = len(images) / (time.perf_counter() - began)
    if "torch" in sys.modules:
        raise RuntimeError("torch was loaded on the way to a detection")
    return {"throughput_per_s": throughput, "memory_mb": peak_megabytes()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])) + "\n")
