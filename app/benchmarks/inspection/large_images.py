"""How long a 20-megapixel image takes at the finest detail, and whether pits of 30 pixels are found on it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.inspection.large_parts import HEIGHT, PIT, WIDTH, write_large_parts
from app.benchmarks.probing import peak_megabytes
from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.imaging.files import encode_png, read_image
from inspection.pipeline import Runner, default_definition, validate_definition

_GOOD, _HELD_OUT, _PITTED = 5, 4, 6
_GOAL_MS = 1500
_NEAR = 2 * PIT
# Each fold selects a memory bank from 100,000 patches; the threshold is not looked at.
_FOLDS = 2


def measure(data: Path, parts: int = _PITTED) -> list[Figure]:
    """Train on drawn parts at the finest detail, and score others with and without a pit.

    Args:
        data: not used; every area is asked in the same way.
        parts: parts with a pit to score.
    """
    del data
    with tempfile.TemporaryDirectory() as folder:
        good = write_large_parts(Path(folder) / "good", range(_GOOD))
        held_out = write_large_parts(Path(folder) / "held-out", range(100, 100 + _HELD_OUT))
        pitted = write_large_parts(Path(folder) / "pitted", range(200, 200 + parts), pit=True)
        path = Path(folder) / "large.model"
        report = train_images(list(good), path, TrainingSettings(detail="finest", folds=_FOLDS, rotation="fixed"))
        model = load_bundle(path)
        highest = max(model.score(read_image(file)).score for file in held_out)
        runner = Runner(validate_definition(default_definition()), {"default": model})
        times, pipeline_times, found = [], [], 0
        for file, place in pitted.items():
            began = time.perf_counter()
            scored = model.score(read_image(file))
            times.append((time.perf_counter() - began) * 1000)
            top = divmod(int(scored.heatmap.argmax()), scored.heatmap.shape[1])
            began = time.perf_counter()
            if (overlay := runner.run(read_image(file)).overlay) is not None:
                encode_png(overlay)
            pipeline_times.append((time.perf_counter() - began) * 1000)
            found += scored.score > highest and place is not None and _is_near(top, place)
    what = f"{WIDTH}×{HEIGHT} drawn parts with a pit of {PIT} pixels"
    note = f"finest detail, {report.images} parts to train on in {report.seconds:.0f} s"
    latency, pipeline_latency = median(times), median(pipeline_times)
    return [
        Figure(
            name="large_images_found",
            value=found / parts,
            what=f"{what}: share found above {_HELD_OUT} good ones, in the right place",
            goal="= 1",
            met=found == parts,
            note=note,
        ),
        judged_figure(
            name="large_images_latency_ms_p50",
            value=latency,
            unit="ms",
            what=f"{what}: from the file to the heatmap, median of {parts}",
            goal=at_most(_GOAL_MS),
            note=note,
        ),
        judged_figure(
            name="large_images_pipeline_ms_p50",
            value=pipeline_latency,
            unit="ms",
            what=f"{what}: from the file to the PNG of the ready pipeline's overlay, median of {parts}",
            goal=at_most(_GOAL_MS),
            note=note,
        ),
        Figure(
            name="large_images_memory_mb",
            value=peak_megabytes(),
            unit="MB",
            what="most memory of all of that",
            note=note,
        ),
    ]


def _is_near(top: tuple[int, int], place: tuple[int, int]) -> bool:
    (row, column), (x, y) = top, place
    return abs(row - y) <= _NEAR and abs(column - x) <= _NEAR
