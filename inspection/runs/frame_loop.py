"""The loop over frames: an image file is a frame of a folder source; an unusable frame does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inspection.image_quality import QualityGate
from inspection.imaging.frames import Frame
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.judging.judgement import Criteria
from inspection.pipeline.runner import Runner
from inspection.runs.named_files import FileToInspect
from inspection.runs.overlay_folder import OverlayFolder
from inspection.runs.results import FrameResult
from inspection.sources.base import ImageSource, SourceState
from inspection.sources.folder import FolderSource
from inspection.sources.triggers import TriggeredSource
from models.errors import Unavailable, UnreadableImage, UserFacingError

_LONGEST_READ = 0.5


@dataclass(frozen=True, slots=True)
class Inspector:
    """The steps that every frame goes through: quality gate, pipeline with judgement, overlay.

    Attributes:
        runner: the pipeline.
        criteria: the judgement's; None takes the default ones.
        gate: refuses frames that violate the quality bounds; None lets all pass.
        overlays: receives the overlays; None writes none.
    """

    runner: Runner
    criteria: Criteria | None = None
    gate: QualityGate | None = None
    overlays: OverlayFolder | None = None

    def inspect(
        self, item: Frame | UnreadableImage, *, file: FileToInspect | None = None, began: float | None = None
    ) -> FrameResult:
        """Return the result of one frame, or of its error; an overlay that cannot be written is named in the result.

        Args:
            item: of ``read_frames``.
            file: where the frame is an image file given by name.
            began: ``time.perf_counter()`` at the start of the work on it; None for now.
        """
        began = time.perf_counter() if began is None else began
        path = None if file is None else file.path
        if isinstance(item, UnreadableImage):
            return FrameResult(None, path, None, _milliseconds_since(began), error=item)
        try:
            if self.gate is not None:
                self.gate.require(item)
            outcome = self.runner.run(item, self.criteria)
        except UserFacingError as error:
            return FrameResult(item, path, None, _milliseconds_since(began), error=error)
        spent = _milliseconds_since(began)
        found = FrameResult(item, path, outcome.result, spent)
        if self.overlays is None or outcome.overlay is None:
            return found
        try:
            overlay = self.overlays.write(item, outcome.overlay, None if file is None else file.name)
        except Unavailable as error:
            return replace(found, overlay_error=error)
        return replace(found, overlay=overlay)


def read_frames(
    source: ImageSource,
    *,
    wait: float | None = None,
    on_lost: Callable[[], object] = lambda: None,
) -> Iterator[Frame | UnreadableImage]:
    """Yield the frames of an open source until it has ended; a damaged image is yielded as its error.

    Args:
        source: open.
        wait: seconds to wait for one frame at most; None waits indefinitely.
        on_lost: called each time the source is lost.

    Raises:
        Unavailable: ``source-silent`` when no frame came within ``wait``.
    """
    last, lost = time.monotonic(), False
    while True:
        item: Frame | UnreadableImage | None
        try:
            item = source.read(_LONGEST_READ if wait is None else max(0.0, min(_LONGEST_READ, wait)))
        except UnreadableImage as error:
            item = error
        if item is not None:
            yield item
            last, lost = time.monotonic(), False
        elif source.ended or source.state is SourceState.CLOSED:
            return
        elif wait is not None and time.monotonic() - last >= wait:
            raise Unavailable("source-silent", source=source.describe(), seconds=f"{wait:g}")
        elif source.state is SourceState.LOST and not lost:
            lost = True
            on_lost()


def inspect_frames(
    inspector: Inspector,
    source: ImageSource,
    items: Iterator[Frame | UnreadableImage],
    files: Sequence[FileToInspect] | None = None,
) -> Iterator[FrameResult]:
    """Inspect frame after frame.

    Args:
        inspector: the steps.
        source: that the frames come from, open; counts the missed ones.
        items: of ``read_frames``.
        files: of the source, in order, where they are given by name; their time then includes reading.

    Yields:
        one result for each item.

    Raises:
        UserFacingError: as ``items``.
    """
    named = None if files is None else iter(files)
    began = time.perf_counter()
    for item in items:
        if inspector.gate is not None and isinstance(source, TriggeredSource) and source.skipped is not None:
            inspector.gate.note(source.skipped)
        found = inspector.inspect(item) if named is None else inspector.inspect(item, file=next(named), began=began)
        yield replace(found, missed=source.missed)
        began = time.perf_counter()


def inspect_files(
    inspector: Inspector, files: Sequence[FileToInspect], reading: Reading = AS_DECLARED
) -> Iterator[FrameResult]:
    """Inspect image files, one after the other.

    Args:
        inspector: the steps; its overlays are of ``OverlayFolder.for_files`` for ``files``.
        files: of ``files_to_inspect``.
        reading: what files leave open.

    Yields:
        one result for each file.
    """
    with FolderSource(Path(), paths=[file.path for file in files], reading=reading) as source:
        yield from inspect_frames(inspector, source, read_frames(source), files)


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
