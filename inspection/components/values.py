"""The values that steps exchange: pictures and findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap
from models.results import CodeReading, ColourDifference, Detection, Measurement


class Kind(StrEnum):
    """Kinds of values; an input accepts one kind."""

    IMAGE = "image"
    ANOMALY = "anomaly"
    DETECTIONS = "detections"
    CODES = "codes"
    MEASUREMENTS = "measurements"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyFinding:
    """The result of an anomaly model on an image.

    Attributes:
        score: larger is more anomalous.
        threshold: the one that applies; a score strictly above it is anomalous.
        heatmap: float32 ``(H, W)`` over the original image, in the unit of the score; 0 for ignored pixels.
        regions: connected regions where the heatmap exceeds the threshold, most anomalous first, class ``anomaly``.
    """

    score: float
    threshold: float
    heatmap: FloatMap
    regions: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectionList:
    """The detections of a detector, on the original image."""

    detections: tuple[Detection, ...]


@dataclass(frozen=True, slots=True)
class CodeList:
    """The decoded codes, on the original image."""

    codes: tuple[CodeReading, ...]


@dataclass(frozen=True, slots=True)
class MeasurementList:
    """Measurements, on the original image."""

    measurements: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class ColourFinding:
    """A colour difference from the reference."""

    difference: ColourDifference


StepValue = Picture | AnomalyFinding | DetectionList | CodeList | MeasurementList | ColourFinding
