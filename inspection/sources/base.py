"""What every image source does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from inspection.imaging.frames import Frame


class SourceState(StrEnum):
    """Where a source stands."""

    CLOSED = "closed"
    OPEN = "open"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class MissedFrames:
    """How many frames came since the source was opened and were not given.

    Attributes:
        dropped: nobody took them before newer ones came.
        incomplete: parts of them were lost on the way from the camera.
    """

    dropped: int = 0
    incomplete: int = 0


@runtime_checkable
class ImageSource(Protocol):
    """Gives frames.

    Attributes:
        source_id: names the source in frames and records; holds no credential.
        state: ``lost`` while a source that was there is gone and is being sought again.
        live: whether frames come by themselves and grow old when nobody takes them, as those of a camera.
        answers_events: whether each frame answers one event: a file that appeared, a pulse at the camera's input.
        takes_trigger: whether a frame comes only when ``trigger`` asks for it; known once the source is open.
        images_folder: the folder that the images lie in, with its sub-folders; None where they come from no folder.
        missed: how many frames were missed; None where none can be, as of a folder.
    """

    source_id: str

    @property
    def live(self) -> bool:
        """Whether frames come by themselves."""
        ...

    @property
    def answers_events(self) -> bool:
        """Whether each frame answers one event."""
        ...

    @property
    def takes_trigger(self) -> bool:
        """Whether a frame comes only when ``trigger`` asks for it."""
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
        """Where the source stands."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more."""
        ...

    def describe(self) -> str:
        """Say what the source is, for people; without credentials."""
        ...

    def open(self) -> None:
        """Make the source ready.

        Raises:
            NotFound: when the folder or file is not there.
            Unavailable: ``camera-not-reachable`` when there is no such camera or address.
        """
        ...

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame.

        Args:
            timeout: seconds to wait at most; None waits until there is a frame or the source has ended.

        Returns:
            the frame, or None when there is none within ``timeout`` or the source has ended.

        Raises:
            UnreadableImage: for a damaged image; the next call goes on with the next image.
        """
        ...

    def trigger(self) -> None:
        """Ask for one frame, where ``takes_trigger``; may be called from any thread.

        Raises:
            Unavailable: ``camera-not-reachable`` when the camera does not take the request.
        """
        ...

    def close(self) -> None:
        """Let go of the camera or file; may be called twice."""
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
    """What sources share: the context manager and the count of frames."""

    source_id: str

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self._state = SourceState.CLOSED
        self._sequence = 0

    @property
    def state(self) -> SourceState:
        """Where the source stands."""
        return self._state

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more."""
        return self._state is SourceState.ENDED

    @property
    def live(self) -> bool:
        """Whether frames come by themselves and grow old when nobody takes them."""
        return False

    @property
    def answers_events(self) -> bool:
        """Whether each frame answers one event."""
        return False

    @property
    def takes_trigger(self) -> bool:
        """Whether a frame comes only when ``trigger`` asks for it."""
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
        """Ask for one frame.

        Raises:
            RuntimeError: where frames need not be asked for.
        """
        raise RuntimeError(f"{self.source_id} takes no trigger")

    def open(self) -> None:
        """Make the source ready."""
        self._state = SourceState.OPEN

    def close(self) -> None:
        """Let go of what the source holds."""
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
        UnreadableImage: for a damaged image; iterate again to go on behind it.
    """
    while True:
        frame = source.read(timeout)
        if frame is None:
            return
        yield frame
