"""Records of inspected parts, written into a station's store as the station writes them."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import HybridLogicalClock, utc_now
from models.database import Database
from models.ids import new_id
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, SessionStatus, Verdict
from models.storage import sha256_of
from models.synced import snapshot
from models.verification import HumanVerification
from sync.station.blobs import BlobStore, remember_blob

CHANGES_OF_A_PART = 9
"""Session, image row, AI result and verification, two steps of the session's status, three audit entries."""
_AT_ONCE = 20
_ACTOR = "bench"
_KIND = "image/png"


def record_parts(database: Database, blobs: BlobStore, device_id: str, target_id: str, parts: int, image: int) -> None:
    """Write inspected and verified parts.

    Args:
        database: the station's, with its recorder.
        blobs: its blob store.
        device_id: the station.
        target_id: of the parts.
        parts: how many.
        image: bytes of an image of its own for each part; 0 for a row that names an image without bytes here.
    """
    noise = random.Random(device_id)  # noqa: S311 - bytes that do not compress, nothing secret
    for first in range(0, parts, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, parts))
        contents = [noise.randbytes(image) for _ in numbers] if image else [b"%d" % number for number in numbers]
        digests = [blobs.put(data) if image else sha256_of(data) for data in contents]
        with database.transaction() as session, session.no_autoflush:
            if image:
                for digest in digests:
                    remember_blob(session, digest, image, _KIND)
            sessions = [_started(session, device_id, target_id) for _ in numbers]
            session.flush()
            pictures = [_pictured(part, digest, image) for part, digest in zip(sessions, digests, strict=True)]
            session.add_all(pictures)
            session.flush()
            results = [_inspected(session, *pair) for pair in zip(sessions, pictures, strict=True)]
            session.flush()
            for part, result in zip(sessions, results, strict=True):
                _verified(session, part, result)


def _started(session: Session, device_id: str, target_id: str) -> InspectionSession:
    part = InspectionSession(
        device_id=device_id,
        target_id=target_id,
        lot="L-1",
        serial_number="S-1",
        status=SessionStatus.IN_PROGRESS,
        started_at=utc_now(),
    )
    session.add(part)
    _audit(session, part, "session.started", lot=part.lot, serial_number=part.serial_number)
    return part


def _pictured(part: InspectionSession, digest: str, image: int) -> ImageRecord:
    return ImageRecord(
        device_id=part.device_id,
        session_id=part.id,
        sha256=digest,
        size_bytes=image,
        content_type=_KIND,
        width=64,
        height=64,
        captured_at=utc_now(),
        source="usb:0",
    )


def _inspected(session: Session, part: InspectionSession, picture: ImageRecord) -> AIResult:
    result = AIResult(
        device_id=part.device_id,
        session_id=part.id,
        image_id=picture.id,
        overall_result=Verdict.OK,
        confidence=0.75,
        anomaly_score=0.31,
        threshold=0.5,
        steps=[{"step_id": "score", "component": "anomaly", "milliseconds": 12.5}],
        processing_time_ms=12.5,
    )
    session.add(result)
    part.status = SessionStatus.AI_COMPLETED
    _audit(session, part, "item.inspected", verdict="OK", image_sha256=picture.sha256)
    return result


def _verified(session: Session, part: InspectionSession, result: AIResult) -> None:
    session.add(
        HumanVerification(
            device_id=part.device_id,
            session_id=part.id,
            ai_result_id=result.id,
            username=_ACTOR,
            verdict=HumanVerdict.OK,
            seconds=2.5,
        )
    )
    part.status, part.completed_at = SessionStatus.COMPLETED, utc_now()
    _audit(session, part, "part.verified", verdict="OK", before="OK")


def _audit(session: Session, part: InspectionSession, action: str, **detail: object) -> None:
    append_audit(
        session,
        device_id=part.device_id,
        actor=_ACTOR,
        action=action,
        subject=InspectionSession.entity,
        subject_id=part.id,
        detail=detail,
    )


def part_changes(clock: HybridLogicalClock, device_id: str, target_id: str) -> list[dict[str, Any]]:
    """Return the changes of a new part as a station pushes them: session, image row, AI result, verification."""
    part = InspectionSession(device_id=device_id, target_id=target_id, status=SessionStatus.COMPLETED)
    picture = _pictured(part, sha256_of(part.id.encode()), 0)
    result = AIResult(
        device_id=device_id, session_id=part.id, image_id=picture.id, overall_result=Verdict.OK, confidence=0.75
    )
    decision = HumanVerification(
        device_id=device_id, session_id=part.id, ai_result_id=result.id, username=_ACTOR, verdict=HumanVerdict.OK
    )
    return [
        {
            "change_id": new_id(),
            "entity": record.entity,
            "entity_id": record.id,
            "op": "insert",
            "clock": str(clock.now()),
            "fields": snapshot(record),
        }
        for record in (part, picture, result, decision)
    ]
