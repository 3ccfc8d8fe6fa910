"""Good-only anomaly models on images.

The names below are imported on first use: OpenVINO takes a third of a second to import, which a window that only shows
a pipeline must not pay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspection.anomaly.backbone.architectures import backbone_names
    from inspection.anomaly.backbone.conversion import convert_backbone, convert_in_own_process
    from inspection.anomaly.backbone.files import Backbone, find_backbone
    from inspection.anomaly.bundle import bundle_digest, read_bundle, read_manifest
    from inspection.anomaly.configuration import DEFAULT_BACKBONE
    from inspection.anomaly.manifest import BundleManifest
    from inspection.anomaly.model import AnomalyModel, ScoredImage, load_bundle
    from inspection.anomaly.training.train import (
        TrainingCancelled,
        TrainingProgress,
        TrainingReport,
        TrainingSettings,
        train_images,
    )

__all__ = [
    "DEFAULT_BACKBONE",
    "AnomalyModel",
    "Backbone",
    "BundleManifest",
    "ScoredImage",
    "TrainingCancelled",
    "TrainingProgress",
    "TrainingReport",
    "TrainingSettings",
    "backbone_names",
    "bundle_digest",
    "convert_backbone",
    "convert_in_own_process",
    "find_backbone",
    "load_bundle",
    "read_bundle",
    "read_manifest",
    "train_images",
]

_HOME = {
    "backbone.architectures": ("backbone_names",),
    "backbone.conversion": ("convert_backbone", "convert_in_own_process"),
    "backbone.files": ("Backbone", "find_backbone"),
    "bundle": ("bundle_digest", "read_bundle", "read_manifest"),
    "configuration": ("DEFAULT_BACKBONE",),
    "manifest": ("BundleManifest",),
    "model": ("AnomalyModel", "ScoredImage", "load_bundle"),
    "training.train": (
        "TrainingCancelled",
        "TrainingProgress",
        "TrainingReport",
        "TrainingSettings",
        "train_images",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
