"""Object detectors."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from inspection.detection.graph import heads, letterbox
from inspection.detection.graph.heads import Candidates, Head, NotFiniteError
from inspection.detection.graph.suppression import non_max_suppression
from inspection.detection.model.graph_model import GraphModel
from inspection.detection.model.settings import Boxes, DetectionSettings, named_classes, require_known_classes
from inspection.imaging.frames import Pixels, as_rgb
from inspection.model_files.step_models import ModelKind
from inspection.runtime.arrays import FloatArray
from models.errors import DoesNotFit
from models.results import BoundingBox, Detection


class Detector(GraphModel):
    """A detector in memory; thread-safe.

    Attributes:
        description: of the graph.
        name: of the model file, for messages.
        digest: SHA-256 of the model file, hexadecimal.
        precision: of inference, ``f32`` or ``bf16``.
    """

    kind: ClassVar[ModelKind] = ModelKind.DETECTOR

    def find(self, pixels: Pixels, settings: DetectionSettings | None = None) -> Boxes:
        """Return the detected boxes by descending score.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
            settings: filtering of detections; None takes the defaults.

        Raises:
            InvalidInput: ``detector-class-unknown`` when the settings name a class the model does not have.
            DoesNotFit: ``detector-names`` when the output has a class index without a name, ``detector-not-finite``
                when the output has NaN or infinite values.
        """
        rule = settings or DetectionSettings()
        thresholds = self._thresholds(rule)
        size = self.description
        image = as_rgb(pixels)
        centred = size.fitting == "letterbox"
        place = letterbox.fit(image.shape[0], image.shape[1], size.height, size.width, centred=centred)
        with self._buffers() as buffers:
            letterbox.draw(image, place, buffers.canvas)
            candidates = self._decode(self._infer(buffers)[0], float(thresholds.min()))
        if np.any((candidates.classes < 0) | (candidates.classes >= len(thresholds))):
            raise DoesNotFit("detector-names", name=self.name, known=len(thresholds))
        chosen = np.flatnonzero(candidates.scores > thresholds[candidates.classes])
        boxes, scores, classes = candidates.boxes[chosen], candidates.scores[chosen], candidates.classes[chosen]
        if size.head is Head.END_TO_END:
            kept = np.arange(min(len(scores), rule.max_detections))
        else:
            kept = non_max_suppression(boxes, scores, classes, rule.iou, rule.max_detections)
        return Boxes(place.to_original(boxes[kept]), scores[kept], classes[kept])

    def detect(self, pixels: Pixels, settings: DetectionSettings | None = None) -> list[Detection]:
        """Return the boxes of ``find`` in ``pixels``, uint8 RGB or grey, as ``Detection``s; raises as ``find``."""
        found = self.find(pixels, settings)
        return [
            Detection(
                class_name=self.description.names[number],
                confidence=min(float(score), 1.0),
                bbox=BoundingBox(x=box[0], y=box[1], width=max(box[2] - box[0], 0), height=max(box[3] - box[1], 0)),
            )
            for box, score, number in zip(found.boxes.tolist(), found.scores, found.classes, strict=True)
        ]

    def warm_up(self) -> None:
        """Run a blank image, so that the first part is not slower than the others."""
        self.find(np.zeros((self.description.height, self.description.width), np.uint8))

    def _decode(self, output: FloatArray, least: float) -> Candidates:
        try:
            match self.description.head:
                case Head.YOLO:
                    return heads.decode_yolo(output, least)
                case Head.YOLOX:
                    return heads.decode_yolox(output, least, self.description.height, self.description.width)
                case _:
                    return heads.decode_end_to_end(output, least)
        except NotFiniteError as error:
            raise DoesNotFit("detector-not-finite", name=self.name) from error

    def _thresholds(self, rule: DetectionSettings) -> FloatArray:
        """Return the minimum confidence of each class, infinity for classes not reported."""
        names = self.description.names
        require_known_classes(names, named_classes(rule), self.name)
        wanted = [rule.class_confidence.get(name, rule.confidence) for name in names]
        if rule.classes is not None:
            wanted = [value if name in rule.classes else np.inf for name, value in zip(names, wanted, strict=True)]
        return np.array(wanted, np.float32)
