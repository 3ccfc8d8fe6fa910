"""The inspection of one physical part: the session, its images and AI results."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.named import Searchable
from models.states import HumanVerdict, ImageKind, SessionStatus, Verdict
from models.synced import Fact, Synced, SyncKind


class InspectionSession(Synced, Searchable, Base, kw_only=True, eq=False):
    """The inspection of one part (検査セッション), owned by the device that started it.

    Attributes:
        device_id: the owner; only it updates the record.
        effective_verdict: derived on each side from the facts (see ``models.verdicts``), never sent.
    """

    __tablename__ = "inspection_sessions"
    __table_args__ = (Index("ix_inspection_sessions_statistics", "status", "completed_at"),)
    entity: ClassVar[str] = "inspection_session"
    kind: ClassVar[SyncKind] = SyncKind.OWNED
    searched: ClassVar[tuple[str, ...]] = ("lot", "serial_number")
    local_fields: ClassVar[frozenset[str]] = frozenset({"effective_verdict"})

    device_id: Mapped[str] = mapped_column(String(64), index=True)
    target_id: Mapped[str] = mapped_column(ForeignKey("targets.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), default=None)
    lot: Mapped[str] = mapped_column(String(128), default="", index=True)
    serial_number: Mapped[str] = mapped_column(String(128), default="", index=True)
    status: Mapped[SessionStatus] = mapped_column(enumeration(SessionStatus), default=SessionStatus.PENDING)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    effective_verdict: Mapped[HumanVerdict | None] = mapped_column(enumeration(HumanVerdict), default=None)


class ImageRecord(Fact, Base, kw_only=True, eq=False):
    """An image that is kept: its blob by digest and where it came from."""

    __tablename__ = "images"
    entity: ClassVar[str] = "image"

    session_id: Mapped[str] = mapped_column(ForeignKey("inspection_sessions.id"), index=True)
    item_id: Mapped[str | None] = mapped_column(ForeignKey("inspection_items.id"), default=None)
    image_kind: Mapped[ImageKind] = mapped_column(enumeration(ImageKind), default=ImageKind.CAPTURED)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    captured_at: Mapped[datetime] = mapped_column(UtcDateTime())
    source: Mapped[str] = mapped_column(String(200), default="")


class AIResult(Fact, Base, kw_only=True, eq=False):
    """The pipeline's result for one image (AI判定).

    Attributes:
        detections: list of ``models.results.Detection`` in JSON form; pixels of the original image.
        reasons: codes of the criteria that were not met.
        steps: list of ``models.results.StepTiming`` in JSON form.
        model_sha256: digest of the model bundle that scored, None where no model ran.
    """

    __tablename__ = "ai_results"
    entity: ClassVar[str] = "ai_result"

    session_id: Mapped[str] = mapped_column(ForeignKey("inspection_sessions.id"), index=True)
    item_id: Mapped[str | None] = mapped_column(ForeignKey("inspection_items.id"), default=None)
    image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id"), default=None)
    heatmap_image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id"), default=None)
    pipeline_id: Mapped[str | None] = mapped_column(ForeignKey("pipelines.id"), default=None)
    pipeline_version: Mapped[int | None] = mapped_column(default=None)
    model_sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    overall_result: Mapped[Verdict] = mapped_column(enumeration(Verdict))
    confidence: Mapped[float]
    anomaly_score: Mapped[float | None] = mapped_column(default=None)
    threshold: Mapped[float | None] = mapped_column(default=None)
    detections: Mapped[list[Any]] = mapped_column(default_factory=list)
    reasons: Mapped[list[Any]] = mapped_column(default_factory=list)
    steps: Mapped[list[Any]] = mapped_column(default_factory=list)
    processing_time_ms: Mapped[float] = mapped_column(default=0.0)
