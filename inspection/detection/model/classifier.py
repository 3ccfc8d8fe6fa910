"""Image classifiers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from inspection.detection.graph import heads, letterbox
from inspection.detection.graph.heads import NotFiniteError
from inspection.detection.model.graph_model import GraphModel
from inspection.detection.model.settings import DetectionSettings, named_classes, require_known_classes
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.model_files.step_models import ModelKind
from inspection.runtime.arrays import FloatArray
from models.errors import DoesNotFit
from models.results import BoundingBox, Detection


class Classifier(GraphModel):
    """An image classifier in memory; attributes as ``Detector``."""

    kind: ClassVar[ModelKind] = ModelKind.CLASSIFIER

    def classify(self, pixels: Pixels) -> FloatArray:
        """Return the probability of each class, float32 ``(classes,)``.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

        Raises:
            DoesNotFit: ``detector-not-finite`` when the output has NaN or infinite values.
        """
        with self._buffers() as buffers:
            self._draw(as_rgb(pixels), buffers.canvas)
            output = self._infer(buffers).reshape(-1)
            try:
                return heads.probabilities(output, normalised=self.description.normalised)
            except NotFiniteError as error:
                raise DoesNotFit("detector-not-finite", name=self.name) from error

    def detect(self, pixels: Pixels, settings: DetectionSettings | None = None) -> list[Detection]:
        """Return the most probable class as one detection over the whole image, if its confidence suffices.

        Args:
            pixels: uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``.
            settings: which classes count, and from which confidence on; None takes the model's.

        Raises:
            InvalidInput: ``detector-class-unknown`` when the settings name a class the model does not have.
            DoesNotFit: ``detector-not-finite`` when the output has NaN or infinite values.
        """
        rule, names = settings or DetectionSettings(), self.description.names
        require_known_classes(names, named_classes(rule), self.name)
        values = self.classify(pixels)
        best = int(values.argmax())
        name, score = names[best], float(values[best])
        if score <= rule.class_confidence.get(name, rule.confidence):
            return []
        if rule.classes is not None and name not in rule.classes:
            return []
        box = BoundingBox(x=0, y=0, width=pixels.shape[1], height=pixels.shape[0])
        return [Detection(class_name=name, confidence=score, bbox=box)]

    def warm_up(self) -> None:
        """Run a blank image, so that the first part is not slower than the others."""
        self.classify(np.zeros((self.description.height, self.description.width), np.uint8))

    def _draw(self, image: Pixels, target: Pixels) -> None:
        size = self.description
        if size.fitting.startswith("letterbox"):
            centred = size.fitting == "letterbox"
            letterbox.draw(
                image, letterbox.fit(image.shape[0], image.shape[1], size.height, size.width, centred=centred), target
            )
            return
        interpolation = cv2.INTER_LINEAR
        if size.fitting == "crop":
            image = _centre_crop(image, size.height, size.width)
            if image.shape[0] > size.height:
                # Area averaging as in training, for any downscaling factor.
                interpolation = cv2.INTER_AREA
        target[:] = cv2.resize(image, (size.width, size.height), interpolation=interpolation)


def _centre_crop(image: Pixels, height: int, width: int) -> Pixels:
    """Return the largest centre crop with the aspect ratio ``height`` : ``width``."""
    factor = min(image.shape[0] / height, image.shape[1] / width)
    rows, columns = max(round(height * factor), 1), max(round(width * factor), 1)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return image[top : top + rows, left : left + columns]
