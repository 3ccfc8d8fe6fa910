"""What flows from step to step: pictures, anomaly findings, detections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inspection.frames import Pixels, require_pixels
from inspection.placement import FloatMap, Placement
from models.results import Detection


class Kind(StrEnum):
    """Kinds of values; an input takes one kind."""

    IMAGE = "image"
    ANOMALY = "anomaly"
    DETECTIONS = "detections"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image on its way through a pipeline: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, and where it lies."""

    pixels: Pixels
    placement: Placement

    @classmethod
    def original(cls, pixels: Pixels) -> Picture:
        """Return the picture that is the original image itself.

        Raises:
            ValueError: when ``pixels`` is no image.
        """
        require_pixels(pixels)
        return cls(pixels, Placement(width=pixels.shape[1], height=pixels.shape[0]))


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyFinding:
    """What an anomaly model says of an image.

    Attributes:
        score: larger is stranger.
        threshold: the effective one; a score strictly above it is anomalous.
        heatmap: float32 ``(H, W)`` over the original image, in the unit of the score.
        regions: connected places where the heatmap passes the threshold, strangest first, class ``anomaly``.
    """

    score: float
    threshold: float
    heatmap: FloatMap
    regions: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectionList:
    """What a detector found, on the original image."""

    detections: tuple[Detection, ...]


StepValue = Picture | AnomalyFinding | DetectionList

KIND_OF: dict[type, Kind] = {
    Picture: Kind.IMAGE,
    AnomalyFinding: Kind.ANOMALY,
    DetectionList: Kind.DETECTIONS,
}
