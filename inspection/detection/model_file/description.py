"""Descriptions of a detector's or classifier's model file, as data and as text."""

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


def format_detector(found: dict[str, Any]) -> list[str]:
    """Return the lines of text for the data of ``describe_detector``."""
    graph, data, training = found["graph"], found["data"], found["training"]
    quality = "not measured" if found["map50"] is None else f"{found['map50']:.3f}, mAP50-95 {found['map50_95']:.3f}"
    made_as = training.get("architecture", graph["head"])
    lines = [
        f"{found['name'] or Path(found['file']).stem}  ({found['kind']}, {made_as})",
        f"file        {found['file']}, {found['bytes'] / 1e6:.1f} MB, SHA-256 {found['digest']}",
        f"trained on  {data['train_images']} images, measured on {data['val_images']}, seed {found['seed']}",
        f"input       {graph['width']}×{graph['height']}",
        f"runs in     {found['precision']}, calculating in {' or '.join(found['inference'])}",
        f"mAP50       {quality}",
    ]
    lines += [
        f"parity      {way} beside {value['reference']}: {value['matched']:.1%} of {value['boxes']} boxes, "
        f"mAP50 {0.0 - value['map50_drop']:+.3f}, mAP50-95 {0.0 - value['map50_95_drop']:+.3f}"
        for way, value in found["parity"].items()
    ]
    for name in graph["names"]:
        value = found["classes"].get(name)
        measured = value is not None and value["map50"] is not None
        lines.append(f"  {name}" + (f"  mAP50 {value['map50']:.3f} on {value['boxes']} boxes" if measured else ""))
    if found["warnings"]:
        lines.append(f"warnings    {', '.join(found['warnings'])}")
    return lines
