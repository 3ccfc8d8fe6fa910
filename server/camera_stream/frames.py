"""Frames on their way through a stream, and what clients get of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inspection.imaging.formats import PictureFormat
from models.errors import UserFacingError
from models.results import InspectionResult
from server.camera_stream.statistics import StreamStats

if TYPE_CHECKING:
    from inspection.pipeline.runner import Runner


class ArchiveReason(StrEnum):
    """Why a frame is archived."""

    REQUESTED = "requested"
    NG = "ng"
    LOW_CONFIDENCE = "low_confidence"


class StreamStatus(StrEnum):
    """What a stream does with the frames that come."""

    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame as it came.

    Attributes:
        number: of the frames that the client has sent, from 1.
        data: its bytes.
        timestamp_ms: of its capture, on the clock of its source; 0 without one.
        arrived_at: monotonic seconds.
        captured_at: monotonic seconds, by ``Pace.arrived``.
    """

    number: int
    data: bytes
    timestamp_ms: int
    arrived_at: float
    captured_at: float


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPipeline:
    """A pipeline with its models loaded.

    Attributes:
        id: that streams name it by.
        name: for people.
        version: of its definition.
        runner: runs it.
    """

    id: str
    name: str
    version: int
    runner: Runner


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedImage:
    """What a pipeline made of a frame.

    Attributes:
        jpeg: the picture that the pipeline shows; the frame itself when it shows none.
        format: of the frame as it came.
        width: of the frame, pixels.
        height: of the frame, pixels.
        result: verdict and findings, in pixels of the frame.
        milliseconds: from its bytes to the JPEG.
    """

    jpeg: bytes
    format: PictureFormat
    width: int
    height: int
    result: InspectionResult
    milliseconds: float

    @property
    def content_type(self) -> str:
        """Media type of the frame as it came."""
        return f"image/{self.format}"


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedFrame:
    """A frame that is to be sent now."""

    frame: VideoFrame
    image: ProcessedImage
    source_id: str
    pipeline: PreparedPipeline
    archived: ArchiveReason | None


@dataclass(frozen=True, slots=True)
class ArchivedFrame:
    """A frame that is in the archive now.

    Attributes:
        file_id: of its record; what ``/files/{id}`` serves.
        frame: its number.
        reason: why.
        sha256: digest of its bytes as they came.
    """

    file_id: str
    frame: int
    reason: ArchiveReason
    sha256: str


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a stream does now.

    Attributes:
        status: stopped, running or paused.
        source_id: empty until it is named.
        pipeline_id: of the pipeline that frames go through; None before the first one is ready.
        loading: the pipeline that is being prepared.
    """

    status: StreamStatus
    source_id: str
    pipeline_id: str | None
    loading: str | None = None


@dataclass(frozen=True, slots=True)
class StreamTrouble:
    """Something that went wrong and does not end the stream.

    Attributes:
        error: what.
        frame: the number of the frame it is about; None when it is about none.
    """

    error: UserFacingError
    frame: int | None = None


Output = ProcessedFrame | StreamStats | StreamState | ArchivedFrame | StreamTrouble
"""What a stream gives to the client's connection."""
