"""Checks that a model file gives on this computer what it gave where it was made."""

from __future__ import annotations

from pathlib import Path

from inspection.anomaly.export.verification import verify_model
from inspection.detection.evaluation.verification import verify_detector
from inspection.detection.model_file.bundle import DETECTION_KINDS
from inspection.model_files.archive import archive_kind


def require_same_scores(path: Path) -> None:
    """Check a model file of any kind: whole, and with the scores or boxes of its training.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: when it is damaged or of another kind.
        DoesNotFit: ``model-verify-parity`` or ``detector-verify`` with the numbers.
    """
    if archive_kind(path) in DETECTION_KINDS:
        verify_detector(path)
    else:
        verify_model(path)
