"""How well the default configuration does on the product's own drawn parts, which are the same on every machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from app.benchmarks.figures import Figure
from inspection.anomaly import TrainingSettings, load_bundle, train_images
from inspection.evaluation import evaluate
from inspection.imaging.datasets import image_files
from resources.parts import write_parts

_WHAT = {
    "image_auroc": "image AUROC on the sample parts",
    "pixel_auroc": "pixel AUROC on the sample parts",
    "aupro": "AUPRO to 30 % on the sample parts",
    "escapes": "defective sample parts called OK",
    "overkill": "good sample parts called NG; 5 % was asked for",
}


def measure(data: Path) -> list[Figure]:
    """Train on the drawn parts and evaluate on others.

    Args:
        data: not used; every area is asked in the same way.
    """
    del data
    with tempfile.TemporaryDirectory() as folder:
        parts = write_parts(Path(folder) / "parts")
        model = Path(folder) / "parts.model"
        report = train_images(image_files(parts.train_good), model, TrainingSettings())
        test = parts.directory / "test"
        found = evaluate(load_bundle(model), test / "good", test, masks=parts.masks)
    note = (
        f"{report.images} parts to train on, {found['images']['good']} good and {found['images']['defect']} defective"
    )
    figures = []
    for name, what in _WHAT.items():
        value = found[name]["rate"] if isinstance(found[name], dict) else found[name]
        low, high = found["intervals"][name]
        figures.append(
            Figure(
                name=f"sample_parts_{name}",
                value=value,
                what=what,
                interval=(low, high),
                note=note,
            )
        )
    return figures
