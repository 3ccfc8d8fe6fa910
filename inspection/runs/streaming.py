"""Inspecting the frames of a source, one result each; a frame that is refused or damaged does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inspection.image_quality import FrameRefused, QualityGate
from inspection.imaging.frames import Frame
from inspection.judging.judgement import Criteria
from inspection.pipeline.runner import Runner
from inspection.runs.batch import FileResult
from inspection.runs.overlay_folder import OverlayFolder, is_whole_file
from inspection.sources.base import MissedFrames, SourceState
from inspection.sources.triggers import TriggeredSource
from models.errors import Unavailable, UnreadableImage, UserFacingError
from models.results import InspectionResult

_LONGEST_READ = 0.5


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What came of one frame: a result, or the error.

    Attributes:
        frame: None for an image that could not be read.
        result: None when there was an error.
        milliseconds: from the frame to the result.
        overlay: file the overlay was written to, if any.
        error: why there is no result; ``FrameRefused`` when the frame does not keep the bounds of quality.
        missed: how many frames were missed until then; None where none can be.
    """

    frame: Frame | None
    result: InspectionResult | None
    milliseconds: float
    overlay: Path | None = None
    error: UserFacingError | None = None
    missed: MissedFrames | None = None

    @property
    def name(self) -> str:
        """What the frame is called: its file, else source and number."""
        if self.frame is None:
            return ""
        whole = is_whole_file(self.frame)
        return str(self.frame.path) if whole else f"{self.frame.source_id}#{self.frame.sequence}"

    def as_file_result(self) -> FileResult:
        """Return the same as the result of a file of that name."""
        return FileResult(Path(self.name), self.result, self.milliseconds, self.overlay, self.error)

    def as_json(self, *, details: bool = False) -> dict[str, Any]:
        """Return the line ``imageflow inspect --json`` prints: where the frame is from, as for a file, what was missed.

        Raises:
            ValueError: when there is neither a result nor a refusal.
        """
        if self.frame is None:
            raise ValueError("an image that could not be read has no line")
        where: dict[str, Any] = {
            "source": self.frame.source_id,
            "sequence": self.frame.sequence,
            "captured_at": self.frame.captured_at.isoformat(),
        }
        missed = {} if self.missed is None else asdict(self.missed)
        if isinstance(self.error, FrameRefused):
            return where | {"file": self.name, **refused_line(self.error)} | missed
        return where | self.as_file_result().as_json(details=details) | missed


def refused_line(error: FrameRefused) -> dict[str, Any]:
    """Return what a line of JSON says of an image that was refused."""
    return {"verdict": None, "refused": [reason.as_json() for reason in error.reasons]}


def taken_frames(
    source: TriggeredSource,
    *,
    wait: float | None = None,
    on_lost: Callable[[], object] = lambda: None,
) -> Iterator[Frame | UnreadableImage]:
    """Yield the frames of an open source until it has ended; a damaged image comes as its error.

    Args:
        source: open.
        wait: seconds to wait for one frame at most; None waits for ever.
        on_lost: called each time the source is lost.

    Raises:
        Unavailable: ``source-silent`` when no frame came within ``wait``.
    """
    heard, lost = time.monotonic(), False
    while True:
        item: Frame | UnreadableImage | None
        try:
            item = source.read(_LONGEST_READ if wait is None else max(0.0, min(_LONGEST_READ, wait)))
        except UnreadableImage as error:
            item = error
        if item is not None:
            yield item
            heard, lost = time.monotonic(), False
        elif source.ended or source.state is SourceState.CLOSED:
            return
        elif wait is not None and time.monotonic() - heard >= wait:
            raise Unavailable("source-silent", source=source.describe(), seconds=f"{wait:g}")
        elif source.state is SourceState.LOST and not lost:
            lost = True
            on_lost()


def inspect_frame(
    runner: Runner,
    item: Frame | UnreadableImage,
    criteria: Criteria | None = None,
    *,
    gate: QualityGate | None = None,
    overlays: OverlayFolder | None = None,
) -> FrameResult:
    """Check a frame's quality, run the pipeline on it, and write its overlay.

    Args:
        runner: the pipeline.
        item: of ``taken_frames``.
        criteria: the rule.
        gate: refuses frames that were not taken well.
        overlays: folder that gets the overlay.

    Raises:
        Unavailable: ``file-disk-full`` or ``file-not-written`` when the overlay cannot be written.
    """
    if isinstance(item, UnreadableImage):
        return FrameResult(None, None, 0.0, error=item)
    began = time.perf_counter()
    try:
        if gate is not None:
            gate.require(item)
        outcome = runner.run(item, criteria)
    except UserFacingError as error:
        return FrameResult(item, None, (time.perf_counter() - began) * 1000, error=error)
    spent = (time.perf_counter() - began) * 1000
    overlay = None
    if overlays is not None and outcome.overlay is not None:
        overlay = overlays.write(item, outcome.overlay)
    return FrameResult(item, outcome.result, spent, overlay)
