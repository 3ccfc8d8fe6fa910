"""Listings of model files and backbones as JSON values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspection.anomaly.backbone.architectures import backbone_names
from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.bundle import read_bundle
from inspection.detection.model_file.bundle import DETECTION_KINDS
from inspection.detection.model_file.description import describe_detector
from inspection.model_files.archive import archive_kind
from models.errors import NotFound, Unavailable, UserFacingError
from models.storage import is_folder

MODEL_SUFFIX = ".model"


def describe_model(path: Path) -> dict[str, Any]:
    """Return the manifest of a model file with its size and digest, as JSON values.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new``, ``model-not-readable``.
    """
    if archive_kind(path) in DETECTION_KINDS:
        return describe_detector(path)
    bundle = read_bundle(path)
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "digest": bundle.digest,
        **bundle.manifest.model_dump(mode="json"),
    }


def list_models(folder: Path) -> list[dict[str, Any]]:
    """Return a short description of each ``.model`` file in ``folder`` and below; damaged files have ``error``.

    Raises:
        NotFound: ``folder-missing``.
    """
    if not is_folder(folder):
        raise NotFound("folder-missing", folder=str(folder))
    listed: list[dict[str, Any]] = []
    for path in sorted(folder.rglob(f"*{MODEL_SUFFIX}")):
        try:
            found = describe_model(path)
        except UserFacingError as error:
            listed.append({"file": str(path), "error": error.code})
            continue
        common = {"file": str(path), **{key: found[key] for key in ("name", "kind", "digest", "bytes")}}
        if found["kind"] in DETECTION_KINDS:
            listed.append(common | {"images": found["data"]["train_images"], "map50": found["map50"]})
            continue
        listed.append(
            common
            | {
                "images": found["data"]["images"],
                "threshold": found["threshold"]["value"],
                "false_alarm_rate": found["threshold"]["false_alarm_rate"],
            }
        )
    return listed


def list_backbones() -> list[dict[str, Any]]:
    """Return each known backbone with its state: ``ready``, ``missing`` or ``damaged``."""
    listed: list[dict[str, Any]] = []
    for name in backbone_names():
        try:
            found = find_backbone(name)
        except Unavailable as error:
            listed.append({"name": name, "state": error.code.removeprefix("backbone-")})
        else:
            listed.append({"name": name, "state": "ready", "digest": found.digest, "parity": found.parity})
    return listed
