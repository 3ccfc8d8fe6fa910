"""Parts whose inspection was left open by a crash or a closed window: read back as they were, to be gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.station.operations.history import read_picture
from app.station.operations.inspection import ItemInspection
from app.station.operations.masters import item_views, target_view
from app.station.operations.sessions import own_session
from app.station.views import ItemView, TargetView
from inspection.imaging.frames import Frame
from inspection.imaging.heatmaps import heatmap_of
from inspection.pipeline import InspectionOutcome
from models.errors import Conflict
from models.results import Detection, InspectionResult, StepTiming
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import OPEN, Verdict
from models.targets import Target

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part with an AI result whose inspection has not ended.

    Attributes:
        user_id: the person who began it; None when that is not known.
        verdict: the worst AI verdict so far.
    """

    session_id: str
    user_id: str | None
    target_code: str
    target_name: str
    serial_number: str
    started_at: datetime | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class ReopenedPart:
    """A part as it was when its inspection was interrupted.

    Attributes:
        required_items: the items every part of the target goes through, in order.
        inspections: the newest of each item that has an AI result, with image and heatmap from the store.
    """

    session_id: str
    target: TargetView
    required_items: tuple[ItemView, ...]
    serial_number: str
    inspections: tuple[ItemInspection, ...]


def open_parts(workspace: Workspace) -> list[OpenPart]:
    """Return the parts of this station that have an AI result and wait for a person, oldest first."""
    query = (
        select(InspectionSession, Target)
        .join(Target, Target.id == InspectionSession.target_id)
        .where(InspectionSession.device_id == workspace.device_id, InspectionSession.status.in_(OPEN))
        .order_by(InspectionSession.id)
    )
    with workspace.database.read() as session:
        found = []
        for record, target in session.execute(query):
            verdicts = [result.overall_result for result in _newest_results(session, record.id)]
            if verdicts:
                worst = Verdict.NG if Verdict.NG in verdicts else Verdict.OK
                found.append(
                    OpenPart(
                        session_id=record.id,
                        user_id=record.user_id,
                        target_code=target.code,
                        target_name=target.name,
                        serial_number=record.serial_number,
                        started_at=record.started_at,
                        verdict=worst,
                    )
                )
        return found


def reopen_part(workspace: Workspace, session_id: str) -> ReopenedPart:
    """Return an open part with everything that was found on it.

    Raises:
        NotFound: ``session-unknown``; ``blob-missing`` when its image is not on this station any more.
        Conflict: ``session-ended``.
        UnreadableImage: when its image is damaged.
    """
    with workspace.database.read() as session:
        record = own_session(workspace, session, session_id)
        if record.status not in OPEN:
            raise Conflict("session-ended", status=record.status.value)
        target = target_view(session.get_one(Target, record.target_id))
        items = item_views(workspace, session, record.target_id)
        required = tuple(item for item in items if item.required)
        results = _newest_results(session, session_id)
        done = {result.item_id for result in results}
        left = tuple(item.id for item in required if item.id not in done)
        inspections = tuple(_inspection(workspace, session, record, result, left) for result in results)
        return ReopenedPart(session_id, target, required, record.serial_number, inspections)


def _newest_results(session: Session, session_id: str) -> list[AIResult]:
    """Return the newest AI result of each item, in the order in which the items were first inspected."""
    query = select(AIResult).where(AIResult.session_id == session_id).order_by(AIResult.clock)
    return list({result.item_id: result for result in session.scalars(query)}.values())


def _inspection(
    workspace: Workspace, session: Session, record: InspectionSession, result: AIResult, left: tuple[str, ...]
) -> ItemInspection:
    image = session.get_one(ImageRecord, result.image_id)
    heatmap = session.get(ImageRecord, result.heatmap_image_id) if result.heatmap_image_id else None
    heat = None
    if heatmap is not None and result.threshold and workspace.blobs.path(heatmap.sha256).is_file():
        heat = heatmap_of(read_picture(workspace, heatmap.sha256), result.threshold)
    return ItemInspection(
        session_id=record.id,
        item_id=result.item_id or "",
        ai_result_id=result.id,
        image_id=image.id,
        heatmap_image_id=heatmap.id if heatmap else None,
        image_sha256=image.sha256,
        heatmap_sha256=heatmap.sha256 if heatmap else None,
        frame=Frame(read_picture(workspace, image.sha256), image.source, 0, captured_at=image.captured_at),
        outcome=InspectionOutcome(_result(result), heat, None, None),
        verdict=result.overall_result,
        score=result.anomaly_score,
        threshold=result.threshold,
        confidence=result.confidence,
        milliseconds=result.processing_time_ms,
        label=None,
        session_status=record.status,
        items_left=left,
    )


def _result(record: AIResult) -> InspectionResult:
    """Return the result as far as its record holds it: outlines are not kept."""
    return InspectionResult(
        overall_result=record.overall_result,
        confidence=record.confidence,
        detections=[Detection.model_validate(found) for found in record.detections],
        anomaly_score=record.anomaly_score,
        threshold=record.threshold,
        reasons=list(record.reasons),
        steps=[StepTiming.model_validate(step) for step in record.steps],
        processing_time_ms=record.processing_time_ms,
    )
