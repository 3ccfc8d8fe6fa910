"""Evaluation of a detector on labelled images, with the runtime a station uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from inspection.detection.data.dataset import LabelledFile
from inspection.detection.data.labels import corners
from inspection.detection.evaluation.average_precision import (
    AveragePrecision,
    EvaluatedImage,
    average_precision,
    mean_of,
)
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import Boxes, DetectionSettings
from inspection.detection.model_file.manifest import ClassPrecision
from inspection.imaging.files import read_image

MIN_CONFIDENCE = 0.001
"""Minimum confidence of evaluated boxes, as usual for average precision."""
EVALUATION_SETTINGS = DetectionSettings(confidence=MIN_CONFIDENCE, iou=0.7, max_detections=300)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionMetrics:
    """Detections of a runtime on labelled images and their average precision.

    Attributes:
        found: detections, one entry per image.
        classes: class number → average precision.
    """

    found: tuple[Boxes, ...]
    classes: dict[int, AveragePrecision]

    @property
    def mean(self) -> tuple[float, float]:
        """Mean average precision at IoU 0.5 and over 0.5 to 0.95; 0 without labelled boxes."""
        return mean_of(self.classes) or (0.0, 0.0)

    def drop_to(self, other: DetectionMetrics) -> tuple[float, float]:
        """Return the loss of ``other`` in both means; negative for a gain."""
        return self.mean[0] - other.mean[0], self.mean[1] - other.mean[1]

    def by_name(self, names: Sequence[str]) -> dict[str, ClassPrecision]:
        """Return the average precision of every class by its name."""
        found: dict[str, ClassPrecision] = {}
        for number, name in enumerate(names):
            value = self.classes.get(number)
            found[name] = (
                ClassPrecision(map50=None, map50_95=None, boxes=0)
                if value is None
                else ClassPrecision(map50=value.at_50, map50_95=value.at_50_to_95, boxes=value.boxes)
            )
        return found


def evaluate(
    model: Detector, files: Sequence[LabelledFile], on_progress: Callable[[int, int], None] | None = None
) -> DetectionMetrics:
    """Run a detector on labelled images and return its metrics."""
    found = []
    for done, file in enumerate(files, start=1):
        found.append(model.find(read_image(file.image), EVALUATION_SETTINGS))
        if on_progress is not None:
            on_progress(done, len(files))
    return metrics_of(found, files)


def metrics_of(found: Sequence[Boxes], files: Sequence[LabelledFile]) -> DetectionMetrics:
    """Return the metrics of detections on ``files``, one entry per image."""
    images = [
        EvaluatedImage(
            boxes.boxes,
            boxes.scores,
            boxes.classes,
            corners(file.boxes, file.width, file.height),
            np.array([box.number for box in file.boxes], np.intp),
        )
        for boxes, file in zip(found, files, strict=True)
    ]
    return DetectionMetrics(tuple(found), average_precision(images))
