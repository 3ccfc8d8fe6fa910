"""The archive of important frames: the bytes as they came, a record that names them, an event."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from inspection.imaging.formats import SUFFIXES
from models.clock import utc_now
from models.database import Database
from models.ids import new_id
from models.storage import sha256_of
from models.sync import StoredFile
from server.camera_stream.events import VIDEO_STREAM_ARCHIVE, FrameArchived
from server.camera_stream.frames import ArchivedFrame, ArchiveReason, ProcessedFrame
from server.camera_stream.rates import TokenBucket
from server.events.outbox import enqueue
from server.objects.records import record_blob
from server.objects.store import ObjectStore

_BURST = 5.0
_MOST_SOURCES = 1_000
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class FrameArchive:
    """Keeps frames; safe to use from several threads.

    Attributes:
        database: holds the records and the events that wait for the bus.
        objects: holds the frames.
        wake: lets the outbox publish what it has, now.
    """

    database: Database
    objects: ObjectStore
    wake: Callable[[], None]

    def keep(self, found: ProcessedFrame, reason: ArchiveReason) -> ArchivedFrame:
        """Keep a frame; when this returns, it and its event last.

        Raises:
            Unavailable: ``disk-full``, ``objects-unreachable``, or when the database is not reachable.
        """
        frame, image = found.frame, found.image
        sha256 = sha256_of(frame.data)
        file_id = new_id()
        # The bytes are there before any row names them.
        self.objects.put(sha256, frame.data)
        record = StoredFile(
            id=file_id,
            sha256=sha256,
            filename=f"frame-{frame.number}{SUFFIXES[image.format][0]}",
            content_type=image.content_type,
            size_bytes=len(frame.data),
            width=image.width,
            height=image.height,
        )
        event = FrameArchived(
            source_id=found.source_id,
            pipeline_id=found.pipeline.id,
            pipeline_version=found.pipeline.version,
            reason=reason,
            frame=frame.number,
            timestamp_ms=frame.timestamp_ms,
            timestamp=utc_now(),
            file_id=file_id,
            bucket=self.objects.bucket,
            object_key=self.objects.object_key(sha256),
            sha256=sha256,
            content_type=image.content_type,
            size_bytes=len(frame.data),
            width=image.width,
            height=image.height,
            verdict=image.result.overall_result,
            confidence=image.result.confidence,
            detections=image.result.detections,
        )
        with self.database.local_transaction() as session:
            record_blob(session, sha256, len(frame.data), image.content_type)
            session.add(record)
            enqueue(session, VIDEO_STREAM_ARCHIVE, found.source_id, event)
        self.wake()
        return ArchivedFrame(file_id, frame.number, reason, sha256)


class ArchiveLimits:
    """How many frames each source may archive; on one event loop. A source that reconnects keeps its limit.

    Args:
        per_minute: in the long run; a few more at once.
    """

    def __init__(self, per_minute: float) -> None:
        self._per_s = per_minute / _MINUTE_S
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def allows(self, source_id: str, now: float) -> bool:
        """Return whether a source may archive a frame now, and count it when it may."""
        bucket = self._buckets.pop(source_id, None) or TokenBucket(self._per_s, _BURST)
        self._buckets[source_id] = bucket
        if len(self._buckets) > _MOST_SOURCES:
            self._buckets.popitem(last=False)
        return bucket.take(now)
