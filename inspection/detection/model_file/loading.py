"""Loading of detectors and classifiers from files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from inspection.detection.graph.compilation import BF16, F32, cpu_supports
from inspection.detection.graph.description import GRAPH_SUFFIXES, GraphDescription
from inspection.detection.graph.files import files_of_graph
from inspection.detection.graph.heads import Head
from inspection.detection.graph.reading import read_graph, require_fits
from inspection.detection.model.classifier import Classifier
from inspection.detection.model.detector import Detector
from inspection.detection.model_file.bundle import DetectorBundle, read_detector
from inspection.runtime.compilation import core
from inspection.runtime.openvino_import import openvino as ov
from models.errors import InvalidInput, NotFound
from models.storage import is_folder, pieces_of, reason_of, sha256_of_pieces


def load_detection_model(path: Path, threads: int | None = None, at_once: int = 1) -> Detector | Classifier:
    """Load a detector or a classifier.

    Args:
        path: a file of ``imageflow train detector``; an OpenVINO ``.xml`` with its ``.bin`` beside it; an ``.onnx``;
            or a folder that holds one of them, such as ultralytics exports.
        threads: number of CPU threads; None takes the setting.
        at_once: images that it works on at the same time; they share the threads, each has at least one.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new``, ``model-not-readable``, ``detector-folder``,
            ``detector-metadata``.
        DoesNotFit: ``detector-input``, ``detector-output`` when input or output of the graph are not supported.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        # ValueError: a character that file names cannot contain.
        raise NotFound("model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error
    if is_folder(path) or path.suffix.lower() in GRAPH_SUFFIXES:
        graph, description = read_graph(path)
        return _ready(graph, description, path.name, _digest(path), F32, threads, at_once)
    return open_bundle(read_detector(path), path.name, threads, at_once)


def open_bundle(
    bundle: DetectorBundle, name: str, threads: int | None = None, at_once: int = 1
) -> Detector | Classifier:
    """Load the content of a model file, in the fastest precision that passed its parity check and the CPU supports.

    Raises:
        InvalidInput: ``model-damaged``.
    """
    try:
        graph = core().read_model(bundle.graph, ov.Tensor(np.frombuffer(bundle.weights, np.uint8).copy()))
    except RuntimeError as error:
        raise InvalidInput("model-damaged", name=name) from error
    require_fits(graph, bundle.manifest.graph, name)
    precision = fastest(bundle.manifest.inference, bf16=cpu_supports("BF16"))
    return _ready(graph, bundle.manifest.graph, name, bundle.digest, precision, threads, at_once)


def fastest(passed: tuple[str, ...], *, bf16: bool) -> str:
    """Return the first inference precision that the CPU supports.

    Args:
        passed: precisions that passed the parity check, fastest first.
        bf16: whether the CPU supports bfloat16; ``f32`` is always supported.
    """
    return next((way for way in passed if way != BF16 or bf16), F32)


def _ready(
    graph: Any,
    description: GraphDescription,
    name: str,
    digest: str,
    precision: str,
    threads: int | None,
    at_once: int,
) -> Detector | Classifier:
    made = Classifier if description.head is Head.CLASSIFIER else Detector
    model = made(graph, description, name, digest, precision=precision, threads=threads, at_once=at_once)
    model.warm_up()
    return model


def _digest(path: Path) -> str:
    """Return SHA-256 over the files of a graph, sorted by name, and over its metadata files.

    Raises:
        InvalidInput: ``model-not-readable``.
    """
    try:
        return sha256_of_pieces(piece for file in files_of_graph(path) if file.is_file() for piece in _pieces_of(file))
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from pieces_of(file)
