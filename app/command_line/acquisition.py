"""How commands take frames from a source: the options, the source they open, the frames it gives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from inspection.imaging.reading import AS_DECLARED, Reading

if TYPE_CHECKING:
    from inspection.imaging.frames import Frame
    from inspection.sources.triggers import TriggeredSource
    from models.errors import UnreadableImage

FramesOption = Annotated[
    int | None, typer.Option("--frames", min=1, help="Stop after this many frames.", show_default=False)
]
TriggerOption = Annotated[
    str | None,
    typer.Option(
        "--trigger",
        help="free: every frame; key: one for each Enter; source: one for each event of the source (watch:, or "
        "genicam: with a trigger input).",
        metavar="free|key|source",
    ),
]
WaitOption = Annotated[
    float | None,
    typer.Option("--wait", min=0.1, help="Fail when no frame comes for so many seconds.", show_default=False),
]


@dataclass(frozen=True)
class AcquisitionOptions:
    """Which frames are taken from a source.

    Attributes:
        spec: name of the source.
        frames: how many to take, None for all.
        trigger: what causes one to be taken, None for free run.
        wait: seconds to wait for one.
        reading: what image files leave open.
    """

    spec: str
    frames: int | None = None
    trigger: str | None = None
    wait: float | None = None
    reading: Reading = field(default=AS_DECLARED)


def triggered_source(options: AcquisitionOptions) -> TriggeredSource:
    """Return the source, not yet opened.

    Raises:
        UserFacingError: as ``make_source``.
    """
    from inspection.sources import make_source
    from inspection.sources.triggers import TriggeredSource, TriggerMode

    try:
        mode = TriggerMode(options.trigger or "free")
    except ValueError as error:
        raise typer.BadParameter("is free, key or source", param_hint="--trigger") from error
    return TriggeredSource(make_source(options.spec, triggered=mode is TriggerMode.KEY, reading=options.reading), mode)


def acquire(source: TriggeredSource, options: AcquisitionOptions) -> Iterator[Frame | UnreadableImage]:
    """Yield the frames of an open source; with ``--trigger key`` one for each line typed.

    Raises:
        Unavailable: ``source-silent`` when no frame came within the wait.
    """
    from app.command_line import report_error
    from inspection.runs.frame_loop import read_frames
    from models.errors import Unavailable

    def lost() -> None:
        report_error(Unavailable("source-lost", source=source.describe()))

    frames = read_frames(source, wait=options.wait, on_lost=lost)
    return islice(_by_key(source, frames) if source.takes_trigger else frames, options.frames)


def _by_key(source: TriggeredSource, frames: Iterator[Frame | UnreadableImage]) -> Iterator[Frame | UnreadableImage]:
    """Take a frame for each line that is typed, until the input or the source ends."""
    if sys.stdin.isatty():
        from app.command_line import warn

        warn("frame-by-key")
    for _ in sys.stdin:
        source.trigger()
        item = next(frames, None)
        if item is None:
            return
        yield item


@contextmanager
def missed_frames_reported(source: TriggeredSource) -> Iterator[None]:
    """Report at the end, also after Ctrl-C, how many frames arrived and were not inspected."""
    from app.command_line import warn

    try:
        yield
    finally:
        missed = source.missed
        if missed is not None and missed.dropped:
            warn("frames-dropped", count=missed.dropped)
        if missed is not None and missed.incomplete:
            warn("frames-incomplete", count=missed.incomplete)
        if missed is not None and missed.undecoded:
            warn("frames-undecoded", source=source.describe(), count=missed.undecoded)
