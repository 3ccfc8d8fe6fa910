"""What flows from step to step: pictures and what was found on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap
from models.results import CodeReading, ColourDifference, Detection, Measurement


class Kind(StrEnum):
    """Kinds of values; an input takes one kind."""

    IMAGE = "image"
    ANOMALY = "anomaly"
    DETECTIONS = "detections"
    CODES = "codes"
    MEASUREMENTS = "measurements"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyFinding:
    """What an anomaly model says of an image.

    Attributes:
        score: larger is stranger.
        threshold: the effective one; a score strictly above it is anomalous.
        heatmap: float32 ``(H, W)`` over the original image, in the unit of the score; 0 where nothing counts.
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


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes that were read, on the original image."""

    codes: tuple[CodeReading, ...]


@dataclass(frozen=True, slots=True)
class MeasurementList:
    """What was measured, on the original image."""

    measurements: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class ColourFinding:
    """How far the colour is from the reference."""

    difference: ColourDifference


StepValue = Picture | AnomalyFinding | DetectionList | CodeList | MeasurementList | ColourFinding

KIND_OF: dict[type, Kind] = {
    Picture: Kind.IMAGE,
    AnomalyFinding: Kind.ANOMALY,
    DetectionList: Kind.DETECTIONS,
    CodeList: Kind.CODES,
    MeasurementList: Kind.MEASUREMENTS,
    ColourFinding: Kind.COLOUR,
}
