"""What an inspection finds: the one vocabulary from the detector to the screen to the wire.

Coordinates are pixels of the original image, origin at its top-left corner, x to the right, y down.
"""

from __future__ import annotations

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


class Detection(Value):
    """One thing found: its class, how sure (0 to 1), and where."""

    class_name: str
    confidence: float = Field(ge=0, le=1)
    bbox: BoundingBox


class StepTiming(Value):
    """How long one pipeline step took."""

    step_id: str
    component: str
    milliseconds: float = Field(ge=0)


class InspectionResult(Value):
    """What a pipeline and the criteria say of one image.

    Attributes:
        overall_result: the verdict.
        confidence: how sure the verdict is, 0 to 1; 0.5 is on the border.
        anomaly_score: None when no anomaly step ran; larger is stranger; compare with ``threshold`` only.
        reasons: machine-readable codes of the criteria that were not met; empty for OK.
    """

    overall_result: Verdict
    confidence: float = Field(ge=0, le=1)
    detections: list[Detection] = Field(default_factory=list)
    anomaly_score: float | None = None
    threshold: float | None = None
    reasons: list[str] = Field(default_factory=list)
    steps: list[StepTiming] = Field(default_factory=list)
    processing_time_ms: float = Field(default=0.0, ge=0)


class MarkedDefect(Value):
    """A defect as a person marks it: class, optional place, severity."""

    class_name: str = Field(alias="class", serialization_alias="class")
    bbox: BoundingBox | None = None
    severity: str = "major"

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)
