"""Model files from exported graphs: every precision is evaluated, and only files that pass are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from inspection.detection.data.dataset import DetectionData
from inspection.detection.evaluation.agreement import EXACT, FASTER, Bounds, agreement, within_bounds
from inspection.detection.evaluation.measuring import DetectionMetrics, evaluate, metrics_of
from inspection.detection.evaluation.verification import probe
from inspection.detection.graph.compilation import BF16, F32, cpu_supports
from inspection.detection.graph.reading import read_graph
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import Boxes
from inspection.detection.model_file.bundle import pack_detector, read_detector
from inspection.detection.model_file.manifest import FORMAT_VERSION, Agreement, DetectorData, DetectorManifest
from inspection.detection.training.progress import ProgressReporter
from inspection.detection.training.run_folder import RunFolder
from inspection.detection.training.run_request import RunRequest
from models.errors import DoesNotFit, UserFacingError
from models.storage import make_folder, write_atomically

_PACKAGES = ("openvino", "numpy", "opencv-python", "torch", "ultralytics", "nncf")


@dataclass(frozen=True, slots=True)
class WrittenModel:
    """A model file, or the reason why it was not written.

    Attributes:
        precision: ``fp32`` or ``int8``.
        path: None when rejected.
        digest: SHA-256 of the file, hexadecimal; empty when rejected.
        manifest: of the file, written or not.
        refused: why there is no file.
    """

    precision: str
    path: Path | None
    digest: str
    manifest: DetectorManifest
    refused: UserFacingError | None = None


def write_models(
    folder: RunFolder, request: RunRequest, data: DetectionData, trained: dict[str, Any], progress: ProgressReporter
) -> tuple[WrittenModel, ...]:
    """Evaluate every exported graph in every inference precision of this CPU, and write those that pass."""
    reference = metrics_of(_torch_boxes(folder.exported / "torch.json"), data.val)
    exported = {precision: folder.exported / precision for precision in ("fp32", *request.precisions)}
    precisions = [F32, *([BF16] if cpu_supports("BF16") else [])]
    steps = progress.part("measure", len(exported) * len(precisions) * len(data.val))
    exact: DetectionMetrics | None = None
    written: list[WrittenModel] = []
    for precision, graph in exported.items():
        detectors = {inference: _detector(graph, inference, request) for inference in precisions}
        found = {inference: evaluate(detector, data.val, steps) for inference, detector in detectors.items()}
        if exact is None:
            exact = found[F32]
        compared: dict[str, Agreement] = {}
        for inference, measured in found.items():
            first = precision == "fp32" and inference == F32
            trusted, bounds, name = (reference, EXACT, "torch") if first else (exact, FASTER, "fp32")
            drop = trusted.drop_to(measured)
            compared[inference] = agreement(trusted.found, measured.found, bounds, name=name, drop=drop)
        passed = [
            inference
            for inference in (BF16, F32)
            if inference in compared and within_bounds(compared[inference], _bounds(precision, inference))
        ]
        if precision == "fp32" and F32 not in passed:
            raise _refusal("detector-parity", compared[F32], EXACT)
        manifest = _manifest(
            folder, request, data, trained, precision, passed or [F32], compared, found[F32]
        ).model_copy(update={"probe": probe(detectors[F32])})
        if precision in request.precisions:
            written.append(_write(graph, manifest, request, passed, compared))
    refused = [model.refused for model in written if model.refused is not None]
    if len(refused) == len(written):
        raise refused[0]
    return tuple(written)


def _bounds(precision: str, inference: str) -> Bounds:
    return EXACT if (precision, inference) == ("fp32", F32) else FASTER


def _write(
    graph: Path, manifest: DetectorManifest, request: RunRequest, passed: Sequence[str], compared: dict[str, Agreement]
) -> WrittenModel:
    if F32 not in passed:
        # float32 is the only precision every CPU supports; without it the file would not run everywhere.
        refused = _refusal("detector-int8-refused", compared[F32], FASTER)
        return WrittenModel(manifest.precision, None, "", manifest, refused)
    path = request.model_file(manifest.precision)
    xml = next(graph.glob("*.xml"))
    data = pack_detector(manifest, xml.read_bytes(), xml.with_suffix(".bin").read_bytes())
    make_folder(path.parent)
    write_atomically(path, data)
    return WrittenModel(manifest.precision, path, read_detector(path).digest, manifest)


def _refusal(code: str, found: Agreement, bounds: Bounds) -> DoesNotFit:
    return DoesNotFit(
        code,
        matched=f"{found.matched:.1%}",
        least=f"{bounds.matched:.0%}",
        boxes=found.boxes,
        iou=bounds.iou,
        confidence=bounds.confidence,
        drop=f"{max(found.map50_drop, found.map50_95_drop):.3f}",
        most=bounds.map_drop,
    )


def _detector(folder: Path, inference: str, request: RunRequest) -> Detector:
    graph, description = read_graph(folder)
    return Detector(graph, description, folder.name, "", precision=inference, threads=request.threads or None)


def _torch_boxes(path: Path) -> list[Boxes]:
    return [
        Boxes(
            np.array(found["boxes"], np.float32).reshape(-1, 4),
            np.array(found["scores"], np.float32),
            np.array(found["classes"], np.intp),
        )
        for found in json.loads(path.read_text(encoding="utf-8"))
    ]


def _manifest(
    folder: RunFolder,
    request: RunRequest,
    data: DetectionData,
    trained: dict[str, Any],
    precision: str,
    passed: list[str],
    compared: dict[str, Agreement],
    measured: DetectionMetrics,
) -> DetectorManifest:
    _, description = read_graph(folder.exported / precision)
    warnings = [] if measured.mean[0] > 0 else ["finds-nothing"]
    if data.skipped:
        warnings.append("skipped")
    if any(trained.get("left_out", {}).values()):
        warnings.append("left-out")
    if data.measured_on_training:
        warnings.append("measured-on-training")
    return DetectorManifest.model_validate(
        {
            "format_version": FORMAT_VERSION,
            "kind": "detector",
            "name": request.name,
            "precision": precision,
            "inference": passed,
            "graph": description.model_copy(update={"names": data.names}),
            "parity": compared,
            "map50": measured.mean[0],
            "map50_95": measured.mean[1],
            "classes": measured.by_name(data.names),
            "data": DetectorData(train_images=len(data.train), val_images=len(data.val), digest=data.digest),
            "training": {
                "architecture": Path(request.weights).name if request.weights else request.architecture,
                "image_size": request.image_size,
                "batch": request.batch,
                "epochs": trained["epochs"],
                "epochs_allowed": request.epochs,
                "stopped_early": trained["stopped_early"],
            },
            "seed": request.seed,
            "warnings": warnings,
            "versions": _versions(),
        }
    )


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
