"""What an inspection finds: the one vocabulary from the detector to the screen to the wire.

Coordinates are pixels of the original image, origin at its top-left corner, x to the right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.states import Verdict


class Value(BaseModel):
    """Base of immutable values that also travel: unknown members are kept, not refused."""

    model_config = ConfigDict(frozen=True, extra="allow")


class BoundingBox(Value):
    """Axis-aligned box: top-left corner and size in pixels of the original image."""

    x: float
    y: float
    width: float = Field(ge=0)
    height: float = Field(ge=0)


class Point(Value):
    """A point of the original image; a pixel covers one unit, the first from 0 to 1."""

    x: float
    y: float


class Detection(Value):
    """One thing found: its class, how sure (0 to 1), and where."""

    class_name: str
    confidence: float = Field(ge=0, le=1)
    bbox: BoundingBox


class StepTiming(Value):
    """How long one pipeline step took; in records its findings are beside it (``recorded_steps``)."""

    step_id: str
    component: str
    milliseconds: float = Field(ge=0)


class CodeReading(Value):
    """A bar code or matrix code that was read.

    Attributes:
        text: its content; of UPC codes the digits that are printed.
        format: ``qr``, ``micro-qr``, ``rmqr``, ``data-matrix``, ``aztec``, ``pdf417``, ``code-128``, ``code-39``,
            ``code-93``, ``itf``, ``ean-13``, ``ean-8``, ``upc-a`` or ``upc-e``.
        polygon: its corners on the original image.
        step_id: the step that read it.
    """

    text: str
    format: str
    polygon: list[Point] = Field(default_factory=list)
    step_id: str = ""


class Measurement(Value):
    """A quantity that was measured.

    Attributes:
        name: what criteria call it.
        quantity: ``length``, ``area``, ``diameter`` or ``count``.
        value: in ``unit``; None when it could not be measured, with the cause in ``reason``.
        unit: ``mm``, ``mm²``, ``px``, ``px²`` or empty for counts.
        reason: code; empty when there is a value.
        geometry: lines to draw on the original image, each a list of points.
        step_id: the step that measured.
    """

    name: str
    quantity: str
    value: float | None
    unit: str = ""
    reason: str = ""
    geometry: list[list[Point]] = Field(default_factory=list)
    step_id: str = ""


class ColourDifference(Value):
    """How far the colour of an area is from a reference, as CIEDE2000 (ΔE00).

    Attributes:
        name: what criteria call it.
        mean: of the differences of the pixels; None when no pixel of the area counts.
        maximum: largest difference of a pixel, after the step's smoothing.
        lab: mean colour of the area, CIELAB D65/2°.
        reference: CIELAB D65/2°.
        polygon: the area on the original image.
        step_id: the step that compared.
    """

    name: str
    mean: float | None
    maximum: float | None
    lab: tuple[float, float, float] | None
    reference: tuple[float, float, float]
    polygon: list[Point] = Field(default_factory=list)
    step_id: str = ""


class InspectionResult(Value):
    """What a pipeline and the criteria say of one image.

    Attributes:
        overall_result: the verdict.
        confidence: how sure the verdict is, 0 to 1; 0.5 is on the border.
        anomaly_score: None when no anomaly step ran; larger is stranger; compare with ``threshold`` only.
        reasons: machine-readable codes of the criteria that were not met; empty for OK.
        measurements: what ``measure`` steps measured.
        codes: what ``barcode`` steps read.
        colours: what ``color`` steps compared.
    """

    overall_result: Verdict
    confidence: float = Field(ge=0, le=1)
    detections: list[Detection] = Field(default_factory=list)
    anomaly_score: float | None = None
    threshold: float | None = None
    reasons: list[str] = Field(default_factory=list)
    measurements: list[Measurement] = Field(default_factory=list)
    codes: list[CodeReading] = Field(default_factory=list)
    colours: list[ColourDifference] = Field(default_factory=list)
    steps: list[StepTiming] = Field(default_factory=list)
    processing_time_ms: float = Field(default=0.0, ge=0)

    def recorded(self) -> dict[str, Any]:
        """Return the columns of an ``AIResult`` that a result decides."""
        return {
            "overall_result": self.overall_result,
            "confidence": self.confidence,
            "anomaly_score": self.anomaly_score,
            "threshold": self.threshold,
            "detections": [detection.model_dump(mode="json") for detection in self.detections],
            "reasons": list(self.reasons),
            "steps": self.recorded_steps(),
            "processing_time_ms": self.processing_time_ms,
        }

    def recorded_steps(self) -> list[dict[str, Any]]:
        """Return the steps in JSON form for a record, each with what it measured, read and compared.

        Outlines are left out: those of many things are larger than the image they were found on. NUL, which no
        database keeps in a text, is stored as its symbol U+2400.
        """
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        kinds: tuple[tuple[str, Sequence[Measurement | CodeReading | ColourDifference]], ...] = (
            ("measurements", self.measurements),
            ("codes", self.codes),
            ("colours", self.colours),
        )
        for kind, values in kinds:
            for value in values:
                entry = value.model_dump(mode="json", exclude={"geometry", "step_id"})
                if "text" in entry:
                    entry["text"] = entry["text"].replace("\0", "\u2400")
                found.setdefault(value.step_id, {}).setdefault(kind, []).append(entry)
        return [{**step.model_dump(mode="json"), **found.get(step.step_id, {})} for step in self.steps]


class MarkedDefect(Value):
    """A defect as a person marks it: class, optional place, severity."""

    class_name: str = Field(alias="class", serialization_alias="class")
    bbox: BoundingBox | None = None
    severity: str = "major"

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)
