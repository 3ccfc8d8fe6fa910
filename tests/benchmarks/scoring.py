"""Measures one bundle in a process that only inspects: time an image from file to heatmap, and memory."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.measuring import resident_megabytes


def main(model_path: str, folder: str) -> None:
    """Print the figures for scoring every image of ``folder`` with the bundle."""
    from inspection.anomaly import load_bundle
    from inspection.datasets import image_files
    from inspection.images import read_image

    started = time.perf_counter()
    model = load_bundle(Path(model_path), threads=2)
    loaded = time.perf_counter()
    paths = image_files(Path(folder))
    model.score(read_image(paths[0]))
    times = []
    for path in paths:
        start = time.perf_counter()
        model.score(read_image(path))
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    if "torch" in sys.modules:
        raise RuntimeError("torch was loaded on the way to a score")
    figures = {
        "load_s": loaded - started,
        "score_ms_p50": median(times),
        "score_ms_p95": times[int(len(times) * 0.95)],
        "runtime_memory_mb": resident_megabytes(),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
