"""AI inspection on the wire, as the API document has it."""

from __future__ import annotations

from pydantic import Field

from models.results import Detection
from models.states import Verdict
from sync.shared.schemas import Id, JsonObject, Moment, Real, RecordId, Reply, Request, Text


class InspectionParameters(Request):
    """What this inspection does otherwise than the item's pipeline, in its detection steps."""

    confidence_threshold: Real | None = Field(
        default=None, ge=0, le=1, description="Detections with a lower confidence are not reported."
    )
    model_name: Text | None = Field(default=None, min_length=1, max_length=200, description="The model that detects.")

    def of_step(self) -> dict[str, object]:
        """Return those that are given, under the names that the parameters of the step have."""
        given = {"confidence": self.confidence_threshold, "model": self.model_name}
        return {name: value for name, value in given.items() if value is not None}


class AiInspectionCreate(Request):
    """An inspection of one item of a part on an image that was uploaded before."""

    id: RecordId | None = Field(default=None, description="Id of the result; the same request again gives the same.")
    session_id: RecordId | None = Field(default=None, description="That of the path, when it is given.")
    item_id: RecordId
    image_file_path: Text = Field(
        min_length=1,
        max_length=1_024,
        description="The image: the id that `POST /files` answered, or the object key of the same file.",
    )
    pipeline_id: RecordId | None = Field(default=None, description="That of the item, when it is given; else 422.")
    parameters: JsonObject = Field(
        default_factory=dict,
        description="What this inspection does otherwise than the item's pipeline, in its detection steps.",
        json_schema_extra={"x-schema": "InspectionParameters"},
    )


class AiVerdict(Reply):
    """What the pipeline and the criteria of the item say of the image."""

    id: Id | None = Field(description="Id of the recorded result; null where none is recorded.")
    overall_result: Verdict
    confidence: float = Field(ge=0, le=1)
    detections: list[Detection] = Field(description="Boxes: top-left corner and size, pixels of the original image.")
    reasons: list[str] = Field(description="Codes of the criteria that were not met.")
    anomaly_score: float | None = Field(description="Null without an anomaly step.")
    threshold: float | None = Field(description="A score above it is anomalous; null without an anomaly step.")
    heatmap_file_id: Id | None = Field(description="Null without an anomaly step.")


class AiInspectionReply(Reply):
    """The AI result of an image."""

    ai_result: AiVerdict
    processing_time_ms: float = Field(ge=0)
    pipeline_version: str = Field(description="Version of the pipeline that ran, `v` before its number.")
    created_at: Moment


class ConversionRequest(Request):
    """Which output of an execution is judged by the criteria of which item."""

    execution_id: RecordId
    item_id: RecordId
    file_index: int = Field(default=0, ge=0, le=10_000, strict=True, description="Place of the input file.")
