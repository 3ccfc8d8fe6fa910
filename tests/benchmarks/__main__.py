"""Measures what docs/performance.md states and writes that page: ``python -m tests.benchmarks [--json]``.

Everything is measured on the product's own sample parts, so that the command gives the same table anywhere. Runs of
different kinds are interleaved and the median counts, because a shared machine is noisy.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.datasets import image_files
from inspection.evaluation import evaluate
from resources.parts import write_parts
from tests.benchmarks.measuring import ROOT, machine, medians, run_alone

RUNS = 5
PAGE = ROOT / "docs" / "performance.md"

NOTES = (
    "The score is compared with a threshold taken from good images the model was not fitted on (10 folds), at a stated",
    "false-alarm rate of 5 %. On these small sets one image is 1 to 3 % of a rate; differences below that say nothing.",
    "",
    "The network blocks that features come from were chosen while looking at AUROC on castings and other real parts,",
    "so the figures on castings are a little optimistic.",
    "",
    "The same images, seed and versions give the same model file on the same kind of machine with the same number of",
    "threads; a different `OMP_NUM_THREADS` adds numbers up in another order and gives another digest.",
)

ROWS = (
    ("first_paint_s", "s", "start of the process to the first painted window"),
    ("first_paint_memory_mb", "MB", "memory of the process then"),
    ("sign_in_s", "s", "start of the process to the sign-in screen, the store open"),
    ("window_memory_mb", "MB", "memory of the process then; neither torch nor OpenVINO is loaded"),
    ("load_s", "s", "loading a model bundle"),
    ("score_ms_p50", "ms", "one image, file to heatmap, median"),
    ("score_ms_p95", "ms", "one image, file to heatmap, 95th percentile"),
    ("runtime_memory_mb", "MB", "memory of a process that inspects; torch is not imported"),
    ("fit_s", "s", "training on the sample parts, threshold and bundle included"),
    ("fit_images", "", "good images it was trained on"),
    ("image_auroc", "", "image AUROC on the sample parts"),
    ("pixel_auroc", "", "pixel AUROC on the sample parts"),
    ("overkill_rate", "", "good test parts called NG"),
    ("escape_rate", "", "defective test parts called OK"),
    ("casting_fit_s", "s", "training on photographs of castings, threshold and bundle included"),
    ("casting_fit_images", "", "good castings it was trained on"),
    ("casting_image_auroc", "", "image AUROC on castings"),
    ("casting_overkill_rate", "", "good castings called NG; 0.05 was asked for"),
    ("casting_escape_rate", "", "defective castings called OK"),
    ("casting_latency_ms_p50", "ms", "one casting, file to heatmap, median"),
)


def measure() -> dict[str, float]:
    """Return every figure by its name."""
    with tempfile.TemporaryDirectory() as folder:
        parts = write_parts(Path(folder) / "parts")
        model = Path(folder) / "parts.ifmodel"
        report = train_images(image_files(parts.train_good), model, TrainingSettings())
        test = parts.directory / "test"
        found = evaluate(load_bundle(model), test / "good", test, masks=parts.masks)
        window, scoring = [], []
        for _ in range(RUNS):
            window.append(run_alone("tests.benchmarks.window_start", environment={"QT_QPA_PLATFORM": "offscreen"}))
            scoring.append(run_alone("tests.benchmarks.scoring", str(model), str(test / "good")))
        return {
            **castings(Path(folder)),
            **medians(window),
            **medians(scoring),
            "fit_s": report.seconds,
            "fit_images": report.images,
            "image_auroc": found["image_auroc"],
            "pixel_auroc": found["pixel_auroc"],
            "overkill_rate": found["overkill"]["rate"],
            "escape_rate": found["escapes"]["rate"],
        }


def castings(folder: Path) -> dict[str, float]:
    """Return the figures on photographs of castings, none where those images are not on this machine."""
    data = Path(os.environ.get("IMAGEFLOW_DATA", ROOT.parent / "shared" / "data")) / "casting"
    if not data.is_dir():
        return {}
    model = folder / "castings.model"
    report = train_images(image_files(data / "train" / "ok_front"), model, TrainingSettings())
    found = evaluate(load_bundle(model), data / "test" / "ok_front", data / "test" / "def_front")
    return {
        "casting_fit_s": report.seconds,
        "casting_fit_images": report.images,
        "casting_image_auroc": found["image_auroc"],
        "casting_overkill_rate": found["overkill"]["rate"],
        "casting_escape_rate": found["escapes"]["rate"],
        "casting_latency_ms_p50": found["latency_ms"]["p50"],
    }


def page(figures: dict[str, float]) -> str:
    """Return docs/performance.md for these figures."""
    rows = [
        f"| `{name}` | {what} | {figures[name]:.3g}{' ' + unit if unit else ''} |"
        for name, unit, what in ROWS
        if name in figures
    ]
    return "\n".join(
        (
            "# Performance",
            "",
            "Measured by one command, which writes this page again: `make bench`. Every figure is the median of",
            f"{RUNS} runs, each in a process of its own and interleaved with the others; the training runs once. The",
            "data are the sample parts the product draws itself, so the command gives the same table anywhere; the",
            "rows on castings are there where their images are (CONTRIBUTING, test data).",
            "",
            f"Machine: {machine()}.",
            "",
            "| figure | what | value |",
            "| --- | --- | --- |",
            *rows,
            "",
            *NOTES,
            "",
        )
    )


if __name__ == "__main__":
    measured = measure()
    PAGE.write_text(page(measured), encoding="utf-8")
    sys.stdout.write(json.dumps(measured, indent=2) + "\n" if "--json" in sys.argv else page(measured))
