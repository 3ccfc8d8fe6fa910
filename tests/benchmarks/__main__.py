"""Measures what docs/performance.md states and writes that page: ``python -m tests.benchmarks [--json]``.

Everything is measured on the product's own sample parts, so that the command gives the same table anywhere. Runs of
different kinds are interleaved and the median counts, because a shared machine is noisy.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from inspection.anomaly import TrainingSettings, train_images
from inspection.evaluation import evaluate
from resources.parts import write_parts
from tests.benchmarks.measuring import ROOT, machine, medians, run_alone

RUNS = 5
PAGE = ROOT / "docs" / "performance.md"

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
)


def measure() -> dict[str, float]:
    """Return every figure by its name."""
    with tempfile.TemporaryDirectory() as folder:
        parts = write_parts(Path(folder) / "parts")
        model = Path(folder) / "parts.ifmodel"
        report = train_images(parts.train_good, model, TrainingSettings())
        test = parts.directory / "test"
        found = evaluate(model, test / "good", _defects(test, Path(folder)), masks=parts.masks)
        window, scoring = [], []
        for _ in range(RUNS):
            window.append(run_alone("tests.benchmarks.window_start", environment={"QT_QPA_PLATFORM": "offscreen"}))
            scoring.append(run_alone("tests.benchmarks.scoring", str(model), str(test / "good")))
        return {
            **medians(window),
            **medians(scoring),
            "fit_s": report.seconds,
            "fit_images": report.images,
            "image_auroc": found["image_auroc"],
            "pixel_auroc": found["pixel_auroc"],
            "overkill_rate": found["overkill"]["rate"],
            "escape_rate": found["escapes"]["rate"],
        }


def _defects(test: Path, folder: Path) -> Path:
    """Return a folder with the defect classes alone, beside the good ones only by link."""
    defects = folder / "defects"
    defects.mkdir()
    for entry in sorted(test.iterdir()):
        if entry.name != "good":
            (defects / entry.name).symlink_to(entry, target_is_directory=True)
    return defects


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
            "data are the sample parts the product draws itself, so the command gives the same table anywhere.",
            "",
            f"Machine: {machine()}.",
            "",
            "| figure | what | value |",
            "| --- | --- | --- |",
            *rows,
            "",
        )
    )


if __name__ == "__main__":
    measured = measure()
    PAGE.write_text(page(measured), encoding="utf-8")
    sys.stdout.write(json.dumps(measured, indent=2) + "\n" if "--json" in sys.argv else page(measured))
