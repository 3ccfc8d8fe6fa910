"""Parts inspected at this station, as values for the strip of recent parts and the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from inspection.imaging.frames import Pixels
from models.errors import NotFound
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, ImageKind, SessionStatus, Verdict
from models.sync import Blob
from models.verdicts import AiVerdict, HumanDecision, effective_verdict
from models.verification import HumanVerification

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One part with its AI result and its decision.

    Attributes:
        ai_verdict: the machine's, the worst of all items; None before the first AI result.
        human_verdict: the person's; None when nobody decided.
        effective_verdict: what counts.
        score: anomaly score of the item that is furthest beyond (or nearest to) its threshold.
        username: who decided last, empty when nobody did.
        image_sha256: blob of that item's captured image.
        heatmap_sha256: blob of its heatmap.
    """

    session_id: str
    target_id: str
    lot: str
    serial_number: str
    status: SessionStatus
    started_at: datetime | None
    completed_at: datetime | None
    ai_verdict: Verdict | None
    human_verdict: HumanVerdict | None
    effective_verdict: HumanVerdict | None
    score: float | None
    threshold: float | None
    username: str
    image_sha256: str | None
    heatmap_sha256: str | None

    @property
    def overruled(self) -> bool:
        """Whether the person decided otherwise than the machine."""
        return self.human_verdict is not None and self.human_verdict.value != self.ai_verdict


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image record of this station and the blob it names."""

    image_id: str
    sha256: str
    image_kind: ImageKind


def recent_parts(workspace: Workspace, limit: int = 20) -> list[PartSummary]:
    """Return the parts that were started last on this station, newest first."""
    query = (
        select(InspectionSession)
        .where(InspectionSession.device_id == workspace.device_id)
        .order_by(InspectionSession.id.desc())
        .limit(limit)
    )
    with workspace.database.read() as session:
        return summaries(session, session.scalars(query).all())


def part(workspace: Workspace, session_id: str) -> PartSummary:
    """Return one part.

    Raises:
        NotFound: ``session-unknown``.
    """
    with workspace.database.read() as session:
        record = session.get(InspectionSession, session_id)
        if record is None:
            raise NotFound("session-unknown", session_id=session_id)
        return summaries(session, [record])[0]


def read_picture(workspace: Workspace, sha256: str) -> Pixels:
    """Return a stored image or heatmap: uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``.

    Raises:
        NotFound: ``image-on-server-only`` when retention has deleted it here, ``blob-missing`` when it should be here.
        UnreadableImage: when it is no image any more.
    """
    from inspection.imaging.files import decode_image

    if not workspace.blobs.exists(sha256):
        with workspace.database.read() as session:
            blob = session.get(Blob, sha256)
        if blob is not None and not blob.present and blob.uploaded_at is not None:
            raise NotFound("image-on-server-only")
    return decode_image(workspace.blobs.read(sha256), mode="as-stored", name=sha256)


def image_digests(workspace: Workspace) -> list[StoredImage]:
    """Return every image record of this station in order of creation."""
    query = (
        select(ImageRecord.id, ImageRecord.sha256, ImageRecord.image_kind)
        .where(ImageRecord.device_id == workspace.device_id)
        .order_by(ImageRecord.id)
    )
    with workspace.database.read() as session:
        return [StoredImage(*row) for row in session.execute(query)]


def summaries(session: Session, parts: Sequence[InspectionSession]) -> list[PartSummary]:
    """Return the summaries of ``parts`` in their order, with two further queries for all of them."""
    ids = [record.id for record in parts]
    machine: dict[str, list[AIResult]] = defaultdict(list)
    for result in session.scalars(select(AIResult).where(AIResult.session_id.in_(ids)).order_by(AIResult.clock)):
        machine[result.session_id].append(result)
    person: dict[str, list[HumanVerification]] = defaultdict(list)
    decided = select(HumanVerification).where(HumanVerification.session_id.in_(ids)).order_by(HumanVerification.clock)
    for verification in session.scalars(decided):
        person[verification.session_id].append(verification)
    return [_summary(session, record, machine[record.id], person[record.id]) for record in parts]


def _summary(
    session: Session,
    record: InspectionSession,
    machine: list[AIResult],
    person: list[HumanVerification],
) -> PartSummary:
    inferred = effective_verdict((AiVerdict(row.item_id, row.clock, row.overall_result) for row in machine), ())
    decided = effective_verdict((), (HumanDecision(row.item_id, row.clock, row.verdict) for row in person))
    newest = {row.item_id: row for row in machine}
    worst = max(newest.values(), key=_excess, default=None)
    return PartSummary(
        session_id=record.id,
        target_id=record.target_id,
        lot=record.lot,
        serial_number=record.serial_number,
        status=record.status,
        started_at=record.started_at,
        completed_at=record.completed_at,
        ai_verdict=Verdict(inferred.value) if inferred else None,
        human_verdict=decided,
        effective_verdict=record.effective_verdict,
        score=worst.anomaly_score if worst else None,
        threshold=worst.threshold if worst else None,
        username=person[-1].username if person else "",
        image_sha256=_sha256(session, worst.image_id if worst else None),
        heatmap_sha256=_sha256(session, worst.heatmap_image_id if worst else None),
    )


def _excess(result: AIResult) -> tuple[bool, float]:
    """Order results by how bad they are: NG before OK, then by score relative to the threshold."""
    ratio = (result.anomaly_score or 0.0) / result.threshold if result.threshold else 0.0
    return result.overall_result is Verdict.NG, ratio


def _sha256(session: Session, image_id: str | None) -> str | None:
    image = session.get(ImageRecord, image_id) if image_id else None
    return image.sha256 if image else None
