"""How fast a process that only inspects scores an image, from the file to the heatmap, and the memory it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.benchmarks.inspection.fit_time import GOOD, MODEL
from app.benchmarks.probing import Row, peak_megabytes, print_values

SCORES, QUICK_SCORES = 300, 50
WARM_UP = 20
BANK = 5000
ROWS = (
    Row(
        "latency_ms_p50",
        "ms",
        f"one image of 256×256, decode to heatmap, median of {SCORES}",
        at_most=20,
        note=f"bank of {BANK} patches, two threads, after {WARM_UP} to warm up",
    ),
    Row("latency_ms_p95", "ms", f"the same, 95th percentile of {SCORES}"),
    Row("throughput_per_s", "1/s", "images a second, the next one decoded while one is scored"),
    Row("load_s", "s", "loading a model file and scoring a first image"),
    Row(
        "runtime_memory_mb",
        "MB",
        "most memory of a process that loads a model and scores images of two sizes in turn with it",
        at_most=250,
        note="torch is not imported",
    ),
)


def main(folder: Path, quick: bool) -> Mapping[str, float]:
    """Score the images of ``folder`` with its model."""
    from inspection.anomaly import load_bundle
    from inspection.imaging.datasets import image_files
    from inspection.imaging.files import read_image
    from inspection.metrics import percentiles

    began = time.perf_counter()
    model = load_bundle(folder / MODEL, threads=2)
    loaded = time.perf_counter() - began
    bank = model.manifest.metrics["bank_size"]
    if bank != BANK:
        raise RuntimeError(f"the bank has {bank:.0f} patches, not {BANK}")
    found = image_files(folder / GOOD)
    count = QUICK_SCORES if quick else SCORES
    paths = [found[index % len(found)] for index in range(WARM_UP + count)]
    times = []
    for path in paths:
        start = time.perf_counter()
        model.score(read_image(path))
        times.append((time.perf_counter() - start) * 1000)
    percentile = percentiles(times[WARM_UP:])
    with ThreadPoolExecutor(2) as pool:
        start = time.perf_counter()
        for _ in pool.map(lambda path: model.score(read_image(path)), paths[:count]):
            pass
        throughput = count / (time.perf_counter() - start)
    # From the first image of another size on, one graph of any size serves all.
    whole = read_image(paths[0])
    for _ in range(WARM_UP):
        model.score(whole[: len(whole) * 3 // 4])
        model.score(whole)
    if "torch" in sys.modules:
        raise RuntimeError("torch was loaded on the way to a score")
    return {
        "load_s": loaded,
        "latency_ms_p50": percentile["p50"] or 0.0,
        "latency_ms_p95": percentile["p95"] or 0.0,
        "throughput_per_s": throughput,
        "runtime_memory_mb": peak_megabytes(),
    }


if __name__ == "__main__":
    print_values(main)
