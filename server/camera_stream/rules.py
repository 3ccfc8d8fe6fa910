"""Which frames are important enough to be kept; pure."""

from __future__ import annotations

from models.results import InspectionResult
from models.states import Verdict
from server.camera_stream.frames import ArchiveReason


def archive_reason(result: InspectionResult, least_confidence: float, *, requested: bool) -> ArchiveReason | None:
    """Return why a frame is archived, the first reason that applies; None when it is not.

    Args:
        result: of the pipeline.
        least_confidence: of the verdict; frames below it are kept for a person to look at.
        requested: whether the client asked for it.
    """
    if requested:
        return ArchiveReason.REQUESTED
    if result.overall_result is Verdict.NG:
        return ArchiveReason.NG
    return ArchiveReason.LOW_CONFIDENCE if result.confidence < least_confidence else None
