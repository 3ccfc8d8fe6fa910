"""Inspecting many image files, one result each; a bad file does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.datasets import image_files
from inspection.files import write_atomically
from inspection.images import encode_png, read_image
from inspection.judgement import Criteria
from inspection.pipeline.runner import Runner
from models.errors import UserFacingError
from models.results import InspectionResult


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

    def as_json(self) -> dict[str, Any]:
        """Return the line ``imageflow inspect --json`` prints.

        Raises:
            ValueError: when there is no result.
        """
        if self.result is None:
            raise ValueError("a file without a result has no line")
        values = self.result.model_dump(mode="json")
        return {
            "file": str(self.path),
            "verdict": values["overall_result"],
            "confidence": values["confidence"],
            "score": values["anomaly_score"],
            "threshold": values["threshold"],
            "reasons": values["reasons"],
            "detections": values["detections"],
            "steps": values["steps"],
            "ms": self.milliseconds,
            "overlay": str(self.overlay) if self.overlay else None,
        }


def files_to_inspect(given: Iterable[Path]) -> list[FileToInspect]:
    """Return the files that names of files and folders stand for, in the order given.

    Raises:
        InvalidInput: ``folder-without-images``.
    """
    found: list[FileToInspect] = []
    for path in given:
        if path.is_dir():
            found.extend(FileToInspect(image, image.relative_to(path)) for image in image_files(path))
        else:
            found.append(FileToInspect(path, Path(path.name)))
    return found


def inspect_files(
    runner: Runner, files: Iterable[FileToInspect], criteria: Criteria | None = None, out: Path | None = None
) -> Iterator[FileResult]:
    """Run a pipeline on files, one after the other.

    Args:
        runner: the pipeline.
        files: of ``files_to_inspect``.
        criteria: the rule.
        out: folder that gets an overlay for each file, ``.png`` under the same relative name.

    Yields:
        one ``FileResult`` a file.

    Raises:
        Unavailable: ``file-disk-full`` or ``file-not-written`` when an overlay cannot be written.
    """
    written: set[Path] = set()
    for file in files:
        began = time.perf_counter()
        try:
            outcome = runner.run(read_image(file.path), criteria)
        except UserFacingError as error:
            yield FileResult(file.path, None, (time.perf_counter() - began) * 1000, error=error)
            continue
        spent = (time.perf_counter() - began) * 1000
        overlay: Path | None = None
        if out is not None and outcome.overlay is not None:
            overlay = _free_name(out / file.name.with_suffix(".png"), written)
            overlay.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(overlay, encode_png(outcome.overlay))
        yield FileResult(file.path, outcome.result, spent, overlay)


def _free_name(wanted: Path, written: set[Path]) -> Path:
    """Return ``wanted``, or the first ``wanted-2``, ``-3``… that this run has not written yet."""
    name, number = wanted, 1
    while name in written:
        number += 1
        name = wanted.with_stem(f"{wanted.stem}-{number}")
    written.add(name)
    return name
