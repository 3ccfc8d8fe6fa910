"""Verification of a detector's file: it finds what it found where it was trained, or what another file finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.detection.evaluation.agreement import FASTER, Bounds, agreement
from inspection.detection.evaluation.measuring import MIN_CONFIDENCE
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import Boxes, DetectionSettings
from inspection.detection.model_file.bundle import read_detector
from inspection.detection.model_file.loading import open_bundle
from inspection.detection.model_file.manifest import Agreement, DetectorManifest
from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.errors import DoesNotFit, InvalidInput

_PROBE_BOXES = 20
_PROBES = 4
_COARSE = 12
SAME = Bounds(iou=0.9, confidence=0.02, matched=0.9, map_drop=1.0)
"""Tolerances for one file on two CPUs that round differently."""


@dataclass(frozen=True, slots=True)
class VerifiedDetector:
    """The result of a successful verification.

    Attributes:
        path: the model file, complete and unchanged.
        digest: SHA-256 of the file.
        precision: of the file.
        reference: ``making`` (the boxes stored at training), or the name of the file it was compared with.
        agreement: with the reference; None for a file without stored boxes.
    """

    path: Path
    digest: str
    precision: str
    reference: str
    agreement: Agreement | None


def probe(model: Detector) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return the highest-scoring boxes on probe images: rows of left, top, right, bottom, score, class per image."""
    settings = DetectionSettings(confidence=0.0, max_detections=_PROBE_BOXES)
    size = model.description
    images = []
    for number in range(_PROBES):
        found = model.find(generated_image(size.height, size.width, number), settings)
        rows = zip(found.boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True)
        images.append(tuple((*box, score, float(number)) for box, score, number in rows))
    return tuple(images)


def generated_image(height: int, width: int, number: int) -> Pixels:
    """Return probe image ``number``: low-frequency colour noise, uint8 RGB ``(height, width, 3)``."""
    coarse = np.random.default_rng(number).integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def verify_detector(path: Path) -> VerifiedDetector:
    """Check that a detector's file is complete and finds on probe images what it found where it was trained.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new``, ``model-not-readable``, ``detector-is-none`` for a
            classifier.
        DoesNotFit: ``detector-verify`` with the numbers.
    """
    model, manifest = _open(path)
    expected = [_boxes(rows) for rows in manifest.probe]
    found = None
    if expected:
        found = agreement(expected, [_boxes(rows) for rows in probe(model)], SAME, name="making", drop=(0.0, 0.0))
        _require(found, SAME, path, "where it was made")
    return VerifiedDetector(path, model.digest, manifest.precision, "making", found)


def verify_against(path: Path, other: Path, images: Sequence[Path]) -> VerifiedDetector:
    """Check that a detector's file finds on images what another file finds.

    Raises:
        NotFound, InvalidInput: as ``verify_detector`` for either file; what ``read_image`` raises.
        DoesNotFit: ``detector-verify`` with the numbers.
    """
    model, manifest = _open(path)
    trusted, _ = _open(other)
    settings = DetectionSettings(confidence=MIN_CONFIDENCE)
    size = model.description
    pixels = [read_image(image) for image in images] or [
        generated_image(size.height, size.width, number) for number in range(_PROBES)
    ]
    pairs = [(trusted.find(image, settings), model.find(image, settings)) for image in pixels]
    found = agreement(
        [pair[0] for pair in pairs], [pair[1] for pair in pairs], FASTER, name=other.name, drop=(0.0, 0.0)
    )
    _require(found, FASTER, path, other.name)
    return VerifiedDetector(path, model.digest, manifest.precision, other.name, found)


def _open(path: Path) -> tuple[Detector, DetectorManifest]:
    bundle = read_detector(path)
    model = open_bundle(bundle, path.name)
    if not isinstance(model, Detector):
        raise InvalidInput("detector-is-none", name=path.name)
    return model, bundle.manifest


def _boxes(rows: Sequence[Sequence[float]]) -> Boxes:
    array = np.array(rows, np.float32).reshape(-1, 6)
    return Boxes(array[:, :4], array[:, 4], array[:, 5].astype(np.intp))


def _require(found: Agreement, bounds: Bounds, path: Path, reference: str) -> None:
    if found.matched < bounds.matched:
        raise DoesNotFit(
            "detector-verify",
            name=path.name,
            reference=reference,
            matched=f"{found.matched:.1%}",
            least=f"{bounds.matched:.0%}",
            boxes=found.boxes,
            iou=bounds.iou,
            confidence=bounds.confidence,
        )
