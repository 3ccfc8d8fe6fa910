"""The interface of image sources, and the part of it that they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from inspection.imaging.frames import Frame


class SourceState(StrEnum):
    """State of a source; ``LOST`` while a source that was open is gone and is being reconnected."""

    CLOSED = "closed"
    OPEN = "open"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class MissedFrames:
    """Numbers of frames that arrived since the source was opened and were not returned.

    Attributes:
        dropped: replaced by newer ones before they were read.
        incomplete: damaged because packets were lost between camera and computer.
        undecoded: of a video file that could not be decoded, or that its header counts and that are not there.
    """

    dropped: int = 0
    incomplete: int = 0
    undecoded: int = 0


@runtime_checkable
class ImageSource(Protocol):
    """A source of frames.

    Attributes:
        source_id: names the source in frames and records; contains no credential.
        state: of the source.
        live: whether frames arrive unrequested and become stale when they are not read, as those of a camera.
        answers_events: whether each frame answers one event: a file that appeared, a pulse at the camera's input.
        takes_trigger: whether a frame arrives only after ``trigger``; known once the source is open.
        images_folder: the folder that the images lie in, with its sub-folders; None where they come from no folder.
        missed: how many frames were missed; None where none can be, as of a folder.
    """

    source_id: str

    @property
    def live(self) -> bool:
        """Whether frames arrive unrequested."""
        ...

    @property
    def answers_events(self) -> bool:
        """Whether each frame answers one event."""
        ...

    @property
    def takes_trigger(self) -> bool:
        """Whether a frame arrives only after ``trigger``."""
        ...

    @property
    def images_folder(self) -> Path | None:
        """The folder that the images lie in."""
        ...

    @property
    def missed(self) -> MissedFrames | None:
        """How many frames were missed."""
        ...

    @property
    def state(self) -> SourceState:
        """State of the source."""
        ...

    @property
    def ended(self) -> bool:
        """Whether there will be no further frame."""
        ...

    def describe(self) -> str:
        """Return a description of the source for people, without credentials."""
        ...

    def open(self) -> None:
        """Open the source.

        Raises:
            NotFound: when the folder or file does not exist.
            Unavailable: ``camera-not-reachable`` when there is no such camera or address.
        """
        ...

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame.

        Args:
            timeout: longest wait in seconds; None waits until there is a frame or the source has ended.

        Returns:
            the frame, or None when there is none within ``timeout`` or the source has ended.

        Raises:
            UnreadableImage: for a damaged image; the next call continues with the next image.
        """
        ...

    def trigger(self) -> None:
        """Request one frame, where ``takes_trigger``; may be called from any thread.

        Raises:
            Unavailable: ``camera-not-reachable`` when the camera does not accept the request.
        """
        ...

    def close(self) -> None:
        """Release the camera or file; may be called twice."""
        ...

    def __enter__(self) -> Self:
        """Open the source."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the source."""
        ...


class SourceBase:
    """Common part of the sources: context manager, state and frame counter."""

    source_id: str

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self._state = SourceState.CLOSED
        self._sequence = 0

    @property
    def state(self) -> SourceState:
        """State of the source."""
        return self._state

    @property
    def ended(self) -> bool:
        """Whether there will be no further frame."""
        return self._state is SourceState.ENDED

    @property
    def live(self) -> bool:
        """Whether frames arrive unrequested and become stale when they are not read."""
        return False

    @property
    def answers_events(self) -> bool:
        """Whether each frame answers one event."""
        return False

    @property
    def takes_trigger(self) -> bool:
        """Whether a frame arrives only after ``trigger``."""
        return False

    @property
    def images_folder(self) -> Path | None:
        """The folder that the images lie in; None where they come from no folder."""
        return None

    @property
    def missed(self) -> MissedFrames | None:
        """How many frames were missed; None where none can be."""
        return None

    def trigger(self) -> None:
        """Request one frame.

        Raises:
            RuntimeError: where frames are not requested.
        """
        raise RuntimeError(f"{self.source_id} takes no trigger")

    def open(self) -> None:
        """Open the source."""
        self._state = SourceState.OPEN

    def close(self) -> None:
        """Release the source."""
        self._state = SourceState.CLOSED

    def _next_sequence(self) -> int:
        number = self._sequence
        self._sequence += 1
        return number

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def frames(source: ImageSource, timeout: float | None = None) -> Iterator[Frame]:
    """Yield frames until the source has ended, or until none comes within ``timeout`` seconds.

    Raises:
        UnreadableImage: for a damaged image; iterate again to continue after it.
    """
    while True:
        frame = source.read(timeout)
        if frame is None:
            return
        yield frame
