"""Detectors and classifiers, ready to look at images."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from inspection.detection import heads, letterbox
from inspection.detection.description import GraphDescription
from inspection.detection.graphs import compile_graph, value_table
from inspection.detection.heads import Candidates, Head, NotFiniteError
from inspection.detection.suppression import FloatArray, IntArray, suppress
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.model_files.step_models import ModelKind
from models.errors import DoesNotFit, InvalidInput
from models.results import BoundingBox, Detection

F32, BF16 = "f32", "bf16"
_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Which of its candidates a detector reports.

    Attributes:
        confidence: those that are surer than this.
        iou: of two boxes of a class that overlap by more, the surer one stays.
        class_confidence: class → the confidence that goes before the general one.
        classes: only these; None takes all.
        most: how many at most, the surest.
    """

    confidence: float = 0.25
    iou: float = 0.7
    class_confidence: Mapping[str, float] = field(default_factory=dict)
    classes: frozenset[str] | None = None
    most: int = 300


@dataclass(frozen=True, slots=True, eq=False)
class FoundBoxes:
    """Boxes as arrays: corners float32 ``(n, 4)`` in pixels of the image, scores ``(n,)``, classes ``(n,)``."""

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray


class _GraphModel:
    """A graph in memory with its input; one image at a time, from any thread."""

    def __init__(
        self,
        graph: Any,
        description: GraphDescription,
        name: str,
        digest: str,
        *,
        precision: str = F32,
        threads: int | None = None,
    ) -> None:
        self.description = description
        self.name = name
        self.digest = digest
        self.precision = precision
        self._lock = threading.Lock()
        try:
            self._request = compile_graph(graph, description, precision, threads).create_infer_request()
        except RuntimeError as error:
            raise InvalidInput("model-damaged", name=name) from error
        self._canvas: Pixels = np.empty((description.height, description.width, 3), np.uint8)
        self._input: FloatArray = np.empty((1, description.height, description.width, 3), np.float32)
        self._table = value_table(description)

    def _infer(self) -> FloatArray:
        """Run the graph on the canvas; call it with the lock held."""
        cv2.LUT(self._canvas, self._table, self._input[0])
        output: FloatArray = self._request.infer([self._input], share_inputs=True, share_outputs=True)[0]
        return output


class Detector(_GraphModel):
    """A detector in memory; may be used from several threads, one image at a time.

    Attributes:
        description: of its graph.
        name: of its file, for messages.
        digest: SHA-256 of its file, hexadecimal.
        precision: ``f32`` or ``bf16``, in which it calculates.
    """

    kind: ClassVar[ModelKind] = ModelKind.DETECTOR

    def find(self, pixels: Pixels, settings: DetectionSettings | None = None) -> FoundBoxes:
        """Return the boxes found, surest first.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
            settings: which boxes to report.

        Raises:
            InvalidInput: ``detector-class-unknown`` when the settings name a class the model does not know.
            DoesNotFit: ``detector-names`` when the model finds a class that has no name, ``detector-not-finite`` when
                its output is no numbers.
        """
        rule = settings or DetectionSettings()
        thresholds = self._thresholds(rule)
        size = self.description
        image = as_rgb(pixels)
        centred = size.fitting == "letterbox"
        place = letterbox.fit(image.shape[0], image.shape[1], size.height, size.width, centred=centred)
        with self._lock:
            letterbox.draw(image, place, self._canvas)
            candidates = self._decode(self._infer()[0], float(thresholds.min()))
        if np.any((candidates.classes < 0) | (candidates.classes >= len(thresholds))):
            raise DoesNotFit("detector-names", name=self.name, known=len(thresholds))
        chosen = np.flatnonzero(candidates.scores > thresholds[candidates.classes])
        boxes, scores, classes = candidates.boxes[chosen], candidates.scores[chosen], candidates.classes[chosen]
        if size.head is Head.END_TO_END:
            kept = np.arange(min(len(scores), rule.most))
        else:
            kept = suppress(boxes, scores, classes, rule.iou, rule.most)
        return FoundBoxes(place.to_original(boxes[kept]), scores[kept], classes[kept])

    def detect(self, pixels: Pixels, settings: DetectionSettings | None = None) -> list[Detection]:
        """Return what ``find`` finds in the words of the product; see there."""
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
        """Look at an even image, so that the first part is not slower than the others."""
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
        """Return the confidence each class has to exceed; classes that are left out get one that none exceeds."""
        names = self.description.names
        _require_known(names, _named(rule), self.name)
        wanted = [rule.class_confidence.get(name, rule.confidence) for name in names]
        if rule.classes is not None:
            wanted = [value if name in rule.classes else np.inf for name, value in zip(names, wanted, strict=True)]
        return np.array(wanted, np.float32)


class Classifier(_GraphModel):
    """A classifier of whole images in memory; attributes as ``Detector``."""

    kind: ClassVar[ModelKind] = ModelKind.CLASSIFIER

    def classify(self, pixels: Pixels) -> FloatArray:
        """Return the probability of each class, float32 ``(classes,)``.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

        Raises:
            DoesNotFit: ``detector-not-finite`` when its output is no numbers.
        """
        with self._lock:
            self._draw(as_rgb(pixels))
            output = self._infer().reshape(-1)
            try:
                return heads.probabilities(output, normalised=self.description.normalised)
            except NotFiniteError as error:
                raise DoesNotFit("detector-not-finite", name=self.name) from error

    def detect(self, pixels: Pixels, settings: DetectionSettings | None = None) -> list[Detection]:
        """Return the most probable class as one detection over the whole image, if it is sure enough.

        Raises:
            InvalidInput: ``detector-class-unknown`` when the settings name a class the model does not know.
            DoesNotFit: ``detector-not-finite`` when its output is no numbers.
        """
        rule, names = settings or DetectionSettings(), self.description.names
        _require_known(names, _named(rule), self.name)
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
        """Look at an even image, so that the first part is not slower than the others."""
        self.classify(np.zeros((self.description.height, self.description.width), np.uint8))

    def _draw(self, image: Pixels) -> None:
        size, target = self.description, self._canvas
        if size.fitting.startswith("letterbox"):
            centred = size.fitting == "letterbox"
            letterbox.draw(
                image, letterbox.fit(image.shape[0], image.shape[1], size.height, size.width, centred=centred), target
            )
            return
        interpolation = cv2.INTER_LINEAR
        if size.fitting == "crop":
            image = _centre_of_aspect(image, size.height, size.width)
            if image.shape[0] > size.height:
                # As where it was trained every pixel counts, however much larger than the input the image is.
                interpolation = cv2.INTER_AREA
        target[:] = cv2.resize(image, (size.width, size.height), interpolation=interpolation)


def _centre_of_aspect(image: Pixels, height: int, width: int) -> Pixels:
    """Return the largest part around the middle of an image that has the aspect ``height`` : ``width``."""
    factor = min(image.shape[0] / height, image.shape[1] / width)
    rows, columns = max(round(height * factor), 1), max(round(width * factor), 1)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return image[top : top + rows, left : left + columns]


def _named(rule: DetectionSettings) -> frozenset[str]:
    return frozenset(rule.class_confidence) | (rule.classes or frozenset())


def _require_known(names: tuple[str, ...], wanted: frozenset[str], model: str) -> None:
    unknown = sorted(wanted.difference(names))
    if unknown:
        raise InvalidInput("detector-class-unknown", name=unknown[0], model=model, known=shown_names(names))


def shown_names(names: Sequence[str]) -> str:
    """Return names of classes as a message lists them: the first twenty."""
    return ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
