"""Descriptions of a detector's or classifier's model file as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspection.detection.model_file.bundle import read_detector


def describe_detector(path: Path) -> dict[str, Any]:
    """Return the manifest of a detector's or classifier's file, with its size and digest, as JSON values.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new``, ``model-not-readable``.
    """
    bundle = read_detector(path)
    return {
        "file": str(path),
        "bytes": bundle.size,
        "digest": bundle.digest,
        **bundle.manifest.model_dump(mode="json"),
    }
