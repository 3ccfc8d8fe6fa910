"""What ``imageflow inspect`` does with a camera, a watched folder or a video, and with the bounds of image quality."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.options import progress_bar

if TYPE_CHECKING:
    from inspection.image_quality import QualityGate
    from inspection.imaging.frames import Frame
    from inspection.judging.judgement import Criteria
    from inspection.pipeline import Runner
    from inspection.runs.streaming import FrameResult
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
GateOption = Annotated[
    str | None,
    typer.Option(
        "--gate",
        help="Refuse images out of focus, badly lit or moved, by the bounds of this file, or the usual ones.",
        metavar="FILE|usual",
    ),
]
LearnGateOption = Annotated[
    Path | None,
    typer.Option(
        "--learn-gate", help="Only learn bounds for --gate from images that are well taken, and write them here."
    ),
]


@dataclass(frozen=True)
class Taking:
    """How frames are taken from a source.

    Attributes:
        spec: name of the source.
        frames: how many to take, None for all.
        trigger: what makes one be taken, None for free run.
        wait: seconds to wait for one.
    """

    spec: str
    frames: int | None
    trigger: str | None
    wait: float | None


def open_taking(taking: Taking) -> TriggeredSource:
    """Return the source, not yet opened.

    Raises:
        UserFacingError: as ``make_source``.
    """
    from inspection.sources import make_source
    from inspection.sources.triggers import TriggeredSource, TriggerMode

    try:
        mode = TriggerMode(taking.trigger or "free")
    except ValueError as error:
        raise typer.BadParameter("is free, key or source", param_hint="--trigger") from error
    return TriggeredSource(make_source(taking.spec, triggered=mode is TriggerMode.KEY), mode)


def inspect_source(
    taking: Taking,
    runner: Runner,
    criteria: Criteria,
    show: Callable[[FrameResult], object],
    *,
    gate: str | None,
    out: Path | None,
) -> bool:
    """Inspect frame after frame; return whether every image could be read and inspected or was refused.

    Raises:
        UserFacingError: when the source cannot be opened or falls silent, or ``out`` lies among its images.
    """
    from app.command_line import tell
    from inspection.image_quality import FrameRefused
    from inspection.runs.overlay_folder import OverlayFolder
    from inspection.runs.streaming import inspect_frame

    well = True
    taken = open_taking(taking)
    overlays = None if out is None else OverlayFolder(out, taken.images_folder)
    with taken as source, _missed_told(source):
        checked = _gate(gate, source)
        for item in islice(_frames(source, taking), taking.frames):
            if checked is not None and source.passed_over is not None:
                checked.note(source.passed_over)
            found = inspect_frame(runner, item, criteria, gate=checked, overlays=overlays)
            if found.error is not None and not isinstance(found.error, FrameRefused):
                well = False
                tell(found.error, found.name)
            else:
                show(replace(found, missed=source.missed))
    return well


@contextmanager
def _missed_told(source: TriggeredSource) -> Iterator[None]:
    """Say at the end, also where Ctrl-C brings it, how many frames were not inspected though they came."""
    from app.command_line import advise

    try:
        yield
    finally:
        missed = source.missed
        if missed is not None and missed.dropped:
            advise("frames-dropped", count=missed.dropped)
        if missed is not None and missed.incomplete:
            advise("frames-incomplete", count=missed.incomplete)


def learn_gate(specs: list[str], file: Path, taking: Taking, *, as_json: bool) -> None:
    """Learn bounds from images or frames and write them.

    Raises:
        UserFacingError: when there are too few, or they cannot be read or written.
    """
    from app.command_line import advise, tell
    from inspection.image_quality import QualityBounds, QualityGate, learn_bounds, shows_motion, write_bounds
    from models.errors import UnreadableImage

    seen = []
    with progress_bar("Measuring") as advance:
        for spec in specs:
            with open_taking(Taking(spec, taking.frames, taking.trigger, taking.wait)) as source:
                gate = QualityGate(QualityBounds(), in_motion=shows_motion(source.source_id))
                for item in islice(_frames(source, taking), taking.frames):
                    if isinstance(item, UnreadableImage):
                        tell(item)
                        continue
                    seen.append(gate.measure(item))
                    advance(f"Measuring {len(seen)}", len(seen) / taking.frames if taking.frames else 0.0)
    learned = learn_bounds(seen)
    write_bounds(file, learned.bounds)
    bounds = learned.bounds.model_dump(exclude_none=True)
    if as_json:
        typer.echo(json.dumps({"frames": learned.frames, "enough": learned.enough, "bounds": bounds}))
        return
    for name, value in bounds.items():
        typer.echo(f"{name:18} {value:g}")
    typer.echo(f"learnt from {learned.frames} frames and written to {file}")
    if not learned.enough:
        advise("few-frames")


def _gate(given: str | None, source: TriggeredSource) -> QualityGate | None:
    from inspection.image_quality import QualityGate, read_bounds, shows_motion

    return None if given is None else QualityGate(read_bounds(given), in_motion=shows_motion(source.source_id))


def _frames(source: TriggeredSource, taking: Taking) -> Iterator[Frame | UnreadableImage]:
    from app.command_line import tell
    from inspection.runs.streaming import taken_frames
    from models.errors import Unavailable

    def lost() -> None:
        tell(Unavailable("source-lost", source=source.describe()))

    frames = taken_frames(source, wait=taking.wait, on_lost=lost)
    return _by_key(source, frames) if source.takes_trigger else frames


def _by_key(source: TriggeredSource, frames: Iterator[Frame | UnreadableImage]) -> Iterator[Frame | UnreadableImage]:
    """Take a frame for each line that is typed, until the input or the source ends."""
    if sys.stdin.isatty():
        sys.stderr.write("Enter takes a frame, Ctrl-D ends.\n")
    for _ in sys.stdin:
        source.trigger()
        item = next(frames, None)
        if item is None:
            return
        yield item
