"""Detectors that give the same output whatever they see, as files somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inspection.detection.model_file.bundle import GRAPH, WEIGHTS
from inspection.detection.model_file.manifest import FORMAT_VERSION
from inspection.model_files.archive import pack
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops

SIDE, ANCHORS = 32, 21
NOTHING = np.zeros((SIDE, SIDE, 3), np.uint8)
YOLO = np.zeros((1, 6, ANCHORS), np.float32)
YOLO[0, :, 0] = (8, 8, 4, 4, 0.9, 0.1)


def graph_that_says(output: np.ndarray, folder: Path, metadata: str = "task: detect\nnames: [a, b]\n") -> Path:
    """A graph that gives the same output whatever it sees, as an exporter's folder."""
    image = ops.parameter([1, 3, SIDE, SIDE], np.float32, name="image")
    nothing = ops.multiply(ops.reduce_mean(image, ops.constant(np.arange(4))), ops.constant(np.float32(0)))
    model = ov.Model([ops.add(ops.constant(output.astype(np.float32)), nothing)], [image], "constant")
    folder.mkdir(exist_ok=True)
    ov.save_model(model, folder / "graph.xml", compress_to_fp16=False)
    (folder / "metadata.yaml").write_text(metadata, encoding="utf-8")
    return folder


def with_description(folder: Path, **description: Any) -> Path:
    """A detector's file whose digests are right and whose description of the graph is changed."""
    described = {"head": "yolo", "names": ["a", "b"], "height": SIDE, "width": SIDE} | description
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": "detector",
        "name": "",
        "precision": "fp32",
        "inference": ["f32"],
        "graph": described,
        "parity": {},
        "map50": None,
        "map50_95": None,
        "classes": {},
        "data": {"train_images": 1, "val_images": 1, "digest": ""},
        "training": {},
        "seed": 0,
        "versions": {},
    }
    source = graph_that_says(YOLO, folder / "graph")
    parts = {GRAPH: (source / "graph.xml").read_bytes(), WEIGHTS: (source / "graph.bin").read_bytes()}
    path = folder / "m.model"
    path.write_bytes(pack(manifest, parts))
    return path
