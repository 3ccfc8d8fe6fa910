"""Inspecting many image files, one result each; a bad file does not stop the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.image_quality import QualityGate
from inspection.imaging.datasets import image_files
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.frames import Frame
from inspection.judging.judgement import Criteria
from inspection.pipeline.runner import Runner
from inspection.runs.overlay_folder import numbered
from models.errors import InvalidInput, UserFacingError
from models.results import InspectionResult
from models.storage import is_folder, make_folder, write_atomically


@dataclass(frozen=True, slots=True)
class FileToInspect:
    """An image file, and its name within the folder that was given."""

    path: Path
    name: Path


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file: a result, or the error.

    Attributes:
        path: of the image.
        result: None when there was an error.
        milliseconds: from the file to the result.
        overlay: file the overlay was written to, if any.
        error: why there is no result.
    """

    path: Path
    result: InspectionResult | None
    milliseconds: float
    overlay: Path | None = None
    error: UserFacingError | None = None

    def as_json(self, *, details: bool = False) -> dict[str, Any]:
        """Return the line ``imageflow inspect --json`` prints.

        Args:
            details: with confidence, reasons, detections, measurements, places of codes, colours and the overlay's
                file too. Where codes were looked for, their texts and formats are told without it as well.

        Raises:
            ValueError: when there is no result.
        """
        if self.result is None:
            raise ValueError("a file without a result has no line")
        values = self.result.model_dump(mode="json")
        line = {
            "file": str(self.path),
            "verdict": values["overall_result"],
            "score": values["anomaly_score"],
            "threshold": values["threshold"],
            "steps": values["steps"],
            "ms": self.milliseconds,
        }
        if any(step.component == "barcode" for step in self.result.steps):
            line["codes"] = [{"text": code.text, "format": code.format} for code in self.result.codes]
        if details:
            line |= {
                "confidence": values["confidence"],
                "reasons": values["reasons"],
                "detections": values["detections"],
                "measurements": values["measurements"],
                "codes": values["codes"],
                "colours": values["colours"],
                "overlay": str(self.overlay) if self.overlay else None,
            }
        return line


def files_to_inspect(given: Iterable[Path], overlays: Path | None = None) -> list[FileToInspect]:
    """Return the files that names of files and folders stand for, in the order given.

    Args:
        given: files and folders.
        overlays: folder for overlays; where it lies within a folder of ``given``, what it holds is left out: overlays
            of an earlier run are no images of parts.

    Raises:
        InvalidInput: ``folder-without-images``, ``folder-not-readable``.
    """
    found: list[FileToInspect] = []
    for path in given:
        if is_folder(path):
            found.extend(_in_folder(path, overlays))
        else:
            found.append(FileToInspect(path, Path(path.name)))
    return found


def _in_folder(folder: Path, overlays: Path | None) -> list[FileToInspect]:
    files = [FileToInspect(image, image.relative_to(folder)) for image in image_files(folder)]
    if overlays is None:
        return files
    inner, outer = Path(os.path.realpath(overlays)), Path(os.path.realpath(folder))
    if inner == outer or not inner.is_relative_to(outer):
        return files
    apart = inner.relative_to(outer)
    left = [file for file in files if not file.name.is_relative_to(apart)]
    if not left:
        raise InvalidInput("folder-without-images", folder=str(folder))
    return left


def overlay_paths(files: Sequence[FileToInspect], out: Path) -> list[Path]:
    """Return where the overlay of each file goes: ``.png`` under its relative name.

    A name that is taken, by a double or by what is there already, gets ``-2``, ``-3``…: it may be a photograph, or the
    overlay of an earlier run.

    Raises:
        InvalidInput: ``overlay-over-image`` when one would take the place of an image that is to be inspected.
    """
    images = {file.path.resolve() for file in files}
    planned: dict[Path, None] = {}
    for file in files:
        wanted = out / file.name.with_suffix(".png")
        number = 1
        while (path := numbered(wanted, number)) in planned or (path.resolve() not in images and os.path.lexists(path)):
            number += 1
        if path.resolve() in images:
            raise InvalidInput("overlay-over-image", file=str(path))
        planned[path] = None
    return list(planned)


def inspect_files(
    runner: Runner,
    files: Sequence[FileToInspect],
    criteria: Criteria | None = None,
    out: Path | None = None,
    gate: QualityGate | None = None,
) -> Iterator[FileResult]:
    """Run a pipeline on files, one after the other.

    Args:
        runner: the pipeline.
        files: of ``files_to_inspect``.
        criteria: the rule.
        out: folder that gets an overlay for each file, where ``overlay_paths`` says.
        gate: refuses images that were not taken well; their error is ``FrameRefused``.

    Yields:
        one ``FileResult`` a file.

    Raises:
        InvalidInput: ``overlay-over-image``, before the first file.
        Unavailable: ``file-disk-full`` or ``file-not-written`` when an overlay cannot be written.
    """
    overlays: Sequence[Path | None] = [None] * len(files) if out is None else overlay_paths(files, out)
    for file, place in zip(files, overlays, strict=True):
        began = time.perf_counter()
        try:
            pixels = read_image(file.path)
            if gate is not None:
                gate.require(Frame(pixels, "file", 0, path=file.path))
            outcome = runner.run(pixels, criteria)
        except UserFacingError as error:
            yield FileResult(file.path, None, (time.perf_counter() - began) * 1000, error=error)
            continue
        spent = (time.perf_counter() - began) * 1000
        overlay = place if outcome.overlay is not None else None
        if overlay is not None and outcome.overlay is not None:
            make_folder(overlay.parent)
            write_atomically(overlay, encode_png(outcome.overlay))
        yield FileResult(file.path, outcome.result, spent, overlay)
