"""Evaluating a detector on labelled images: mean average precision and latency, on the runtime of a station."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from inspection.detection.data.dataset import read_detection_data
from inspection.detection.evaluation.measuring import EVALUATION_SETTINGS, metrics_of
from inspection.detection.model.detector import Detector
from inspection.evaluation.scoring import Progress
from inspection.imaging.files import read_image
from inspection.metrics import percentiles
from models.errors import DoesNotFit
from models.messages import Language


def evaluate_detector(
    model: Detector, data: Path, *, language: Language = "en", on_progress: Progress | None = None
) -> dict[str, Any]:
    """Evaluate a detector on the ``val`` images of a ``data.yaml``.

    Args:
        model: the detector.
        data: ``data.yaml`` with YOLO labels; its class names are the model's, in the same order.
        language: of the messages in ``skipped``.
        on_progress: called with the numbers of finished images and of all.

    Returns:
        JSON values: ``map50`` and ``map50_95`` (COCO's mean average precision at IoU 0.5 and over 0.5 to 0.95),
        ``classes`` (name → ``map50``, ``map50_95``, ``boxes``; None for a class without a labelled box),
        ``latency_ms`` (``p50``, ``p95``; from the file to the boxes), ``images``, ``boxes``, ``skipped`` (file →
        message), ``model`` (digest).

    Raises:
        DoesNotFit: ``evaluation-classes`` when data and model have different classes.
        UserFacingError: as ``read_detection_data``.
    """
    labelled = read_detection_data(data, parts=("val",))
    names = tuple(model.description.names)
    if labelled.names != names:
        raise DoesNotFit("evaluation-classes", name=model.name, model=", ".join(names), data=", ".join(labelled.names))
    found, milliseconds = [], []
    for done, file in enumerate(labelled.val, start=1):
        began = time.perf_counter()
        found.append(model.find(read_image(file.image), EVALUATION_SETTINGS))
        milliseconds.append((time.perf_counter() - began) * 1000)
        if on_progress is not None:
            on_progress(done, len(labelled.val))
    measured = metrics_of(found, labelled.val)
    map50, map50_95 = measured.mean
    return {
        "map50": map50,
        "map50_95": map50_95,
        "classes": {name: value.model_dump(mode="json") for name, value in measured.by_name(names).items()},
        "latency_ms": percentiles(milliseconds),
        "images": len(labelled.val),
        "boxes": sum(len(file.boxes) for file in labelled.val),
        "skipped": {file: error.text(language).detail for file, error in labelled.skipped.items()},
        "model": model.digest,
    }
