"""What a model bundle says of itself, for its record and for those who look at it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.detection.model_file.bundle import DETECTION_KINDS
from inspection.model_library.catalogue import describe_model


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole model bundle.

    Attributes:
        kind: as the record of a model has it.
        metrics: the figures that a recipe is made of, with those that are shown.
    """

    name: str
    kind: str
    size_bytes: int
    metrics: dict[str, Any]


def read_bundle(pieces: Iterable[bytes]) -> Bundle:
    """Return what a bundle holds; reading checks the digest of every member.

    Args:
        pieces: its bytes, as the object store streams them: a bundle may be larger than the memory of a request.

    Raises:
        InvalidInput: ``model-damaged``, ``model-too-new``, or what else the bytes are.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "uploaded.model"
        with path.open("wb") as file:
            size = sum(file.write(piece) for piece in pieces)
        found = describe_model(path)
    detects = found["kind"] in DETECTION_KINDS
    return Bundle(
        name=str(found["name"] or ""),
        kind=found["kind"] if detects else "anomaly",
        size_bytes=size,
        metrics=_of_detector(found) if detects else _of_anomaly_model(found),
    )


def _of_detector(found: dict[str, Any]) -> dict[str, Any]:
    return {"map50": found["map50"], "classes": list(found["classes"])}


def _of_anomaly_model(found: dict[str, Any]) -> dict[str, Any]:
    threshold = found["threshold"]
    return {
        "threshold": threshold["value"],
        "false_alarm_rate": threshold["false_alarm_rate"],
        "threshold_method": threshold["method"],
        "images": found["data"]["images"],
        "warnings": list(found["warnings"]),
        "method": found["kind"],
    }
