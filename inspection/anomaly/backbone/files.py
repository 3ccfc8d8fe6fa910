"""Converted backbones on disk: OpenVINO ``.xml`` and ``.bin`` with a manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from inspection.anomaly.backbone.architectures import find_architecture
from inspection.anomaly.configuration import DEFAULT_BACKBONE
from inspection.runtime.settings import inspection_settings
from models.errors import Unavailable
from models.storage import sha256_of_pieces

# 2: features are taken from later blocks.
FORMAT_VERSION = 2


@dataclass(frozen=True, slots=True)
class Backbone:
    """A converted backbone on disk.

    Attributes:
        name: for example ``efficientnet-lite0``.
        graph: the OpenVINO ``.xml`` file.
        weights: the OpenVINO ``.bin`` file (float32).
        digest: SHA-256 of graph and weights together, hexadecimal.
        parity: largest relative difference from torch, measured at conversion.
    """

    name: str
    graph: Path
    weights: Path
    digest: str
    parity: float


def find_backbone(name: str = DEFAULT_BACKBONE, folder: Path | None = None) -> Backbone:
    """Return the converted backbone ``name``.

    Raises:
        InvalidInput: ``backbone-unknown``.
        Unavailable: ``backbone-missing`` when it was not converted, or by a version that tapped other blocks;
            ``backbone-damaged`` when its files do not match the digest in their manifest.
    """
    find_architecture(name)
    place = folder or inspection_settings().backbones
    try:
        manifest = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
        graph, weights = (place / f"{name}.xml").read_bytes(), (place / f"{name}.bin").read_bytes()
    except FileNotFoundError as error:
        raise Unavailable("backbone-missing", name=name) from error
    except (OSError, ValueError) as error:
        raise Unavailable("backbone-damaged", name=name) from error
    if isinstance(manifest, dict) and manifest.get("format_version") != FORMAT_VERSION:
        raise Unavailable("backbone-missing", name=name)
    digest = sha256_of_pieces((graph, weights))
    parity = manifest.get("parity") if isinstance(manifest, dict) else None
    if not isinstance(parity, float) or manifest.get("digest") != digest:
        raise Unavailable("backbone-damaged", name=name)
    return Backbone(name, place / f"{name}.xml", place / f"{name}.bin", digest, parity)
