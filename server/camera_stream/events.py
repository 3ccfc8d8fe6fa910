"""What the archive of streams publishes."""

from __future__ import annotations

from pydantic import Field

from models.results import Detection
from models.states import Verdict
from server.camera_stream.frames import ArchiveReason
from server.events.topics import Topic
from sync.shared.schemas import Id, Moment, Reply


class FrameArchived(Reply):
    """An important frame of a stream; its bytes are in the object store.

    Attributes:
        source_id: of the camera, as the client named it.
        pipeline_id: that it went through.
        pipeline_version: of the pipeline's definition.
        reason: why it is important.
        frame: its number in the stream, from 1.
        timestamp_ms: of its capture, on the clock of the source; 0 without one.
        timestamp: when it came into the archive.
        file_id: of its record; what ``/files/{id}`` serves.
        bucket: of the object store.
        object_key: in the bucket.
        sha256: digest of its bytes.
        verdict: of the pipeline.
        confidence: of the verdict, 0.5 to 1.
        detections: in pixels of the frame.
    """

    source_id: str
    pipeline_id: str
    pipeline_version: int
    reason: ArchiveReason
    frame: int
    timestamp_ms: int
    timestamp: Moment
    file_id: Id
    bucket: str
    object_key: str
    sha256: str
    content_type: str
    size_bytes: int
    width: int
    height: int
    verdict: Verdict
    confidence: float
    detections: list[Detection] = Field(default_factory=list)


VIDEO_STREAM_ARCHIVE = Topic("video-stream-archive", FrameArchived)
"""Important frames; the key is the source's id."""
