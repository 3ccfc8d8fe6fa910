"""Inspection sessions, their facts and human verification on the wire."""

from __future__ import annotations

from pydantic import Field

from models.results import Detection, MarkedDefect, StepTiming
from models.states import HumanVerdict, ImageKind, SessionStatus, Verdict
from sync.shared.schemas import (
    LEFT_OUT,
    Changes,
    DeviceName,
    Flag,
    GivenMoment,
    Id,
    Moment,
    OptionalName,
    Real,
    RecordId,
    Reply,
    Request,
    Text,
    read_only,
)


class SessionCreate(Request):
    """A new session: the inspection of one part."""

    id: RecordId | None = None
    target_id: RecordId
    lot: OptionalName = Field(default="", max_length=128)
    serial_number: OptionalName = Field(default="", max_length=128)
    device_id: DeviceName | None = Field(
        default=None, min_length=1, max_length=64, description="Empty: the server itself."
    )


class BoxMarked(Request):
    """Where a defect is: top-left corner and size, pixels of the original image."""

    x: Real = Field(ge=0)
    y: Real = Field(ge=0)
    width: Real = Field(ge=0)
    height: Real = Field(ge=0)


class DefectMarked(Request):
    """A defect as a person marks it."""

    class_name: Text = Field(alias="class", min_length=1, max_length=64)
    bbox: BoxMarked | None = None
    severity: Text = Field(default="major", min_length=1, max_length=16)


class VerificationCreate(Request):
    """What the person decides."""

    id: RecordId | None = None
    verdict: HumanVerdict
    defects: list[DefectMarked] = Field(default_factory=list, max_length=500)
    comment: Text = Field(default="", max_length=4_000)
    seconds: Real | None = Field(default=None, ge=0, le=86_400, description="Time the person took.")
    item_id: RecordId | None = Field(default=None, description="The item it is about; empty: the whole part.")
    ai_result_id: RecordId | None = None
    complete: Flag = Field(default=False, description="End the session with this verdict, in the same call.")


class VerificationReply(Reply):
    """A human verification."""

    id: Id
    session_id: Id
    item_id: Id | None
    ai_result_id: Id | None
    user_id: Id | None
    username: str
    device_id: str
    verdict: HumanVerdict
    defects: list[MarkedDefect]
    comment: str
    seconds: float | None
    created_at: Moment


class ImageAttach(Request):
    """An uploaded file that becomes an image of the session."""

    id: RecordId | None = None
    file_id: RecordId = Field(description="What `POST /files` answered.")
    item_id: RecordId | None = Field(default=None, description="The item it shows; empty: the whole part.")
    image_kind: ImageKind = ImageKind.CAPTURED
    captured_at: GivenMoment | None = Field(default=None, description="Empty: now.")
    source: Text = Field(default="", max_length=200, description="Where it comes from, a camera's name for example.")


class ImageReply(Reply):
    """An image of a session."""

    id: Id
    item_id: Id | None
    image_kind: ImageKind
    sha256: str
    size_bytes: int
    content_type: str
    width: int
    height: int
    captured_at: Moment
    source: str


class AIResultReply(Reply):
    """The pipeline's result for one image."""

    id: Id
    item_id: Id | None
    image_id: Id | None
    heatmap_image_id: Id | None
    pipeline_id: Id | None
    pipeline_version: int | None
    model_sha256: str | None
    overall_result: Verdict
    confidence: float
    anomaly_score: float | None
    threshold: float | None
    detections: list[Detection]
    reasons: list[str] = Field(description="Codes of the criteria that were not met.")
    steps: list[StepTiming]
    processing_time_ms: float
    created_at: Moment


class SessionReply(Reply):
    """An inspection session."""

    id: Id
    device_id: str
    target_id: Id
    user_id: Id | None
    lot: str
    serial_number: str
    status: SessionStatus
    effective_verdict: HumanVerdict | None
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class SessionDetail(SessionReply):
    """A session with its facts."""

    images: list[ImageReply]
    ai_results: list[AIResultReply]
    human_verifications: list[VerificationReply]


class SessionUpdate(Changes):
    """Changes to a session; what is left out stays. The status moves forward only."""

    lot: OptionalName = Field(default=LEFT_OUT, max_length=128)
    serial_number: OptionalName = Field(default=LEFT_OUT, max_length=128)
    status: SessionStatus = Field(default=LEFT_OUT)
    id: RecordId = read_only()
    device_id: Text = read_only()
    target_id: RecordId = read_only()
    user_id: RecordId | None = read_only()
    effective_verdict: HumanVerdict | None = read_only()
    created_at: GivenMoment = read_only()
    started_at: GivenMoment | None = read_only()
    completed_at: GivenMoment | None = read_only()
    images: list[ImageReply] = read_only()
    ai_results: list[AIResultReply] = read_only()
    human_verifications: list[VerificationReply] = read_only()


class VerificationRecorded(Reply):
    """A recorded verification and the session as it is now."""

    verification: VerificationReply
    session: SessionReply
