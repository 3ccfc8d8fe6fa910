"""Inspecting one item of a part; image, heatmap and AI result are stored together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.station.operations.evidence import StoredBlob, name_blob, stored
from app.station.operations.preparation import prepare_item
from app.station.operations.sessions import audit, own_session
from app.station.operations.users import SignedInUser, require_inspector
from app.station.prepared_item import PreparedItem
from inspection.image_quality import QualityGate, shows_motion
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.imaging.heatmaps import heatmap_pixels
from inspection.pipeline import InspectionOutcome, StepProgress
from models.errors import Conflict, DoesNotFit
from models.inspected import items_left
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import ImageKind, SessionStatus, Verdict, require_transition

if TYPE_CHECKING:
    from app.station.workspace import Workspace

PNG = "image/png"
_INSPECTABLE = frozenset({SessionStatus.IN_PROGRESS, SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW})


@dataclass(frozen=True, slots=True, eq=False)
class ItemInspection:
    """What was found and recorded of one item.

    Attributes:
        milliseconds: time of the pipeline alone.
        label: what the frame's source says it shows, where it says so (folders of labelled images).
        items_left: required items of the part that have no AI result yet.
    """

    session_id: str
    item_id: str
    ai_result_id: str
    image_id: str
    heatmap_image_id: str | None
    image_sha256: str
    heatmap_sha256: str | None
    frame: Frame
    outcome: InspectionOutcome
    verdict: Verdict
    score: float | None
    threshold: float | None
    confidence: float
    milliseconds: float
    label: str | None
    session_status: SessionStatus
    items_left: tuple[str, ...]


def inspect_item(
    workspace: Workspace,
    user: SignedInUser,
    session_id: str,
    item_id: str,
    frame: Frame,
    *,
    before: Frame | None = None,
    on_progress: Callable[[StepProgress], None] | None = None,
    on_notes: Callable[[tuple[DoesNotFit, ...]], None] | None = None,
    cancel: threading.Event | None = None,
) -> ItemInspection:
    """Check the quality of ``frame``, prepare the item, run its pipeline and record the outcome.

    Args:
        workspace: the station's.
        user: who inspects.
        session_id: of the part.
        item_id: what of it is looked at.
        frame: the image.
        before: the frame before it from the same camera, which movement is seen against.
        on_progress: called before and after every step.
        on_notes: called with what a person should know of the item, before its pipeline runs.
        cancel: set it to stop.

    Raises:
        FrameRefused: when the station has bounds of image quality and the frame does not keep them.
        UserFacingError: what ``prepare_item``, ``run_pipeline`` and ``record_inspection`` raise; nothing is
            recorded then.
    """
    if workspace.settings.gate:
        _require_quality(workspace, frame, before)
    prepared = prepare_item(workspace, item_id)
    if on_notes is not None:
        on_notes(prepared.notes)
    with workspace.working():
        outcome = run_pipeline(prepared, frame, on_progress=on_progress, cancel=cancel)
        return record_inspection(workspace, user, session_id, prepared, frame, outcome)


def _require_quality(workspace: Workspace, frame: Frame, before: Frame | None) -> None:
    bounds = workspace.quality_bounds.bounds(workspace.settings.gate)
    gate = QualityGate(bounds, in_motion=before is not None and shows_motion(frame.source_id))
    if before is not None:
        gate.note(before)
    gate.require(frame)


def run_pipeline(
    prepared: PreparedItem,
    frame: Frame,
    *,
    on_progress: Callable[[StepProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> InspectionOutcome:
    """Run the item's pipeline on ``frame``; touches no store.

    Raises:
        InspectionCancelled: when ``cancel`` was set.
        UserFacingError: when the image cannot be processed.
    """
    return prepared.runner.run(frame, criteria=prepared.criteria, on_progress=on_progress, cancel=cancel)


def record_inspection(
    workspace: Workspace,
    user: SignedInUser,
    session_id: str,
    prepared: PreparedItem,
    frame: Frame,
    outcome: InspectionOutcome,
) -> ItemInspection:
    """Keep image, heatmap and AI result of one item, with audit and outbox entries, in one transaction.

    The image and heatmap files are safe on the disk before the rows that name them are committed. When the last
    required item is done the session becomes ``AI_COMPLETED``. Capturing an item again adds to what is there; the
    newest counts.

    Raises:
        PermissionDenied: ``role-not-enough``.
        NotFound: ``session-unknown``.
        Conflict: ``session-ended``.
        Unavailable: the disk is full, the store is locked; nothing is recorded then.
    """
    require_inspector(user)
    contents = [(encode_png(frame.pixels), PNG)]
    threshold = outcome.result.threshold
    if outcome.heatmap is not None and threshold:
        contents.append((encode_png(heatmap_pixels(outcome.heatmap, threshold)), PNG))
    with (
        stored(workspace, contents) as blobs,
        workspace.database.transaction(actor=user.user_id) as session,
    ):
        record = own_session(workspace, session, session_id)
        if record.status not in _INSPECTABLE:
            raise Conflict("session-ended", status=record.status.value)
        image = _add_image(session, record, prepared, frame, blobs[0], ImageKind.CAPTURED)
        heatmap = _add_image(session, record, prepared, frame, blobs[1], ImageKind.HEATMAP) if len(blobs) > 1 else None
        result = _add_result(session, record, prepared, outcome, image.id, heatmap.id if heatmap else None)
        left = items_left(session, record)
        if not left and record.status is SessionStatus.IN_PROGRESS:
            require_transition(record.status, SessionStatus.AI_COMPLETED)
            record.status = SessionStatus.AI_COMPLETED
        _audit_inspection(workspace, session, user, record.id, prepared, outcome.result.overall_result, image.sha256)
        return _inspection(record, prepared, frame, outcome, result, image, heatmap, left)


def _audit_inspection(
    workspace: Workspace,
    session: Session,
    user: SignedInUser,
    session_id: str,
    prepared: PreparedItem,
    verdict: Verdict,
    image_sha256: str,
) -> None:
    detail: dict[str, object] = {}
    if prepared.skipped:
        detail["thresholds_skipped"] = list(prepared.skipped)
    if prepared.mismatches:
        detail["preprocessing_mismatches"] = [found.as_json() for found in prepared.mismatches]
    item = prepared.item_name
    found = {"item": item, "verdict": verdict.value, "image_sha256": image_sha256, **detail}
    audit(workspace, session, user, "item.inspected", session_id, **found)


def _inspection(
    record: InspectionSession,
    prepared: PreparedItem,
    frame: Frame,
    outcome: InspectionOutcome,
    result: AIResult,
    image: ImageRecord,
    heatmap: ImageRecord | None,
    left: tuple[str, ...],
) -> ItemInspection:
    found = outcome.result
    return ItemInspection(
        session_id=record.id,
        item_id=prepared.item_id,
        ai_result_id=result.id,
        image_id=image.id,
        heatmap_image_id=heatmap.id if heatmap else None,
        image_sha256=image.sha256,
        heatmap_sha256=heatmap.sha256 if heatmap else None,
        frame=frame,
        outcome=outcome,
        verdict=found.overall_result,
        score=found.anomaly_score,
        threshold=found.threshold,
        confidence=found.confidence,
        milliseconds=found.processing_time_ms,
        label=frame.label,
        session_status=record.status,
        items_left=left,
    )


def _add_image(
    session: Session,
    record: InspectionSession,
    prepared: PreparedItem,
    frame: Frame,
    blob: StoredBlob,
    kind: ImageKind,
) -> ImageRecord:
    name_blob(session, blob)
    image = ImageRecord(
        device_id=record.device_id,
        session_id=record.id,
        item_id=prepared.item_id,
        image_kind=kind,
        sha256=blob.sha256,
        size_bytes=blob.size_bytes,
        content_type=blob.content_type,
        width=frame.width,
        height=frame.height,
        captured_at=frame.captured_at,
        source=frame.source_id[:200],
    )
    session.add(image)
    session.flush()
    return image


def _add_result(
    session: Session,
    record: InspectionSession,
    prepared: PreparedItem,
    outcome: InspectionOutcome,
    image_id: str,
    heatmap_image_id: str | None,
) -> AIResult:
    result = AIResult(
        device_id=record.device_id,
        session_id=record.id,
        item_id=prepared.item_id,
        image_id=image_id,
        heatmap_image_id=heatmap_image_id,
        pipeline_id=prepared.pipeline_id,
        pipeline_version=prepared.pipeline_version,
        model_sha256=prepared.model_sha256,
        **outcome.result.recorded(),
    )
    session.add(result)
    session.flush()
    return result
