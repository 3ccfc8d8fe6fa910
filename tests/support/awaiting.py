"""Waiting for what a source or a process does, with a deadline."""

import time
from collections.abc import Callable

from inspection.imaging.frames import Frame
from inspection.sources import ImageSource, SourceState


def next_frame(source: ImageSource, *, after: float = 0.0, seconds: float = 20.0) -> Frame:
    """The next frame that arrived after a moment on the monotonic clock."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        frame = source.read(timeout=0.5)
        if frame is not None and frame.monotonic >= after:
            return frame
    raise AssertionError(f"no frame within {seconds} s")


def await_loss(source: ImageSource, seconds: float = 20.0) -> None:
    """Read until the source has seen that it is lost."""
    deadline = time.monotonic() + seconds
    while source.state is not SourceState.LOST:
        assert time.monotonic() < deadline, "the loss was not noticed"
        source.read(timeout=0.05)


def wait_until(happened: Callable[[], bool], seconds: float = 240.0) -> bool:
    """Return whether it happened within the time; another process may be busy with its libraries for long."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
