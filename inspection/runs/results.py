"""The result of one inspected frame, and its line of JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inspection.image_quality import FrameRefused
from inspection.imaging.frames import Frame
from inspection.runs.overlay_folder import is_whole_file
from inspection.sources.base import MissedFrames
from models.errors import UserFacingError
from models.results import InspectionResult


@dataclass(frozen=True, slots=True)
class FrameResult:
    """The result of one frame, or its error.

    Attributes:
        frame: None when the image could not be read.
        file: the image file, where it was given by name; None for a frame of a source.
        result: None when there was an error.
        milliseconds: from the file, or from the frame of a source that is waited for, to the result.
        overlay: file the overlay was written to, if any.
        overlay_error: why the overlay could not be written; the result holds all the same.
        error: why there is no result; ``FrameRefused`` when the frame violates the quality bounds.
        missed: how many frames were missed until then; None where none can be.
    """

    frame: Frame | None
    file: Path | None
    result: InspectionResult | None
    milliseconds: float
    overlay: Path | None = None
    overlay_error: UserFacingError | None = None
    error: UserFacingError | None = None
    missed: MissedFrames | None = None

    @property
    def name(self) -> str:
        """Path of the file, else source and number of the frame; empty for an unreadable image of a source."""
        if self.file is not None:
            return str(self.file)
        if self.frame is None:
            return ""
        return str(self.frame.path) if is_whole_file(self.frame) else f"{self.frame.source_id}#{self.frame.sequence}"

    def as_json(self, *, details: bool = False) -> dict[str, Any]:
        """Return the line that ``imageflow inspect --json`` prints.

        A frame of a source also has ``source``, ``sequence``, ``captured_at``, and ``dropped`` and ``incomplete`` where
        frames can be missed. A refused frame has ``verdict`` null and the reasons under ``refused``.

        Args:
            details: adds confidence, reasons, detections, measurements, positions of codes, colours and the overlay's
                file. Texts and formats of codes are in the line without it, where codes were looked for.

        Raises:
            ValueError: when there is neither a result nor a refusal.
        """
        missed = {} if self.missed is None else asdict(self.missed)
        return self._origin() | {"file": self.name} | self._outcome(details=details) | missed

    def _origin(self) -> dict[str, Any]:
        if self.file is not None or self.frame is None:
            return {}
        return {
            "source": self.frame.source_id,
            "sequence": self.frame.sequence,
            "captured_at": self.frame.captured_at.isoformat(),
        }

    def _outcome(self, *, details: bool) -> dict[str, Any]:
        if isinstance(self.error, FrameRefused):
            return {"verdict": None, "refused": [reason.as_json() for reason in self.error.reasons]}
        if self.result is None:
            raise ValueError("a frame without a result has no line")
        values = self.result.model_dump(mode="json")
        line: dict[str, Any] = {
            "verdict": values["overall_result"],
            "score": values["anomaly_score"],
            "threshold": values["threshold"],
            "steps": values["steps"],
            "ms": self.milliseconds,
        }
        if any(step.component == "barcode" for step in self.result.steps):
            line["codes"] = [{"text": code.text, "format": code.format} for code in self.result.codes]
        if details:
            line |= {name: values[name] for name in _DETAILS}
            line["overlay"] = str(self.overlay) if self.overlay else None
        return line


_DETAILS = ("confidence", "reasons", "detections", "measurements", "codes", "colours")
