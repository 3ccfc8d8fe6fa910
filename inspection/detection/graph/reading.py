"""Reading a graph from a file and describing its input and output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inspection.detection.graph.description import GRAPH_SUFFIXES, GraphDescription
from inspection.detection.graph.heads import Head, recognise
from inspection.detection.graph.metadata import GraphMetadata, read_metadata
from inspection.detection.reasons import InvalidMetadataError
from inspection.runtime.compilation import core
from models.errors import DoesNotFit, InvalidInput
from models.messages import LocalText
from models.rejections import first_problem
from models.storage import is_folder, reason_of

_CHANNELS = 3
_IMAGE_AXES = 4


def read_graph(path: Path) -> tuple[Any, GraphDescription]:
    """Read an OpenVINO or ONNX graph and determine the meaning of its input and output.

    Args:
        path: the ``.xml`` or ``.onnx`` file, or a folder with exactly one of them.

    Returns:
        the OpenVINO model with a fixed input size, and its description.

    Raises:
        InvalidInput: ``model-damaged``, ``model-not-readable``, ``detector-folder`` or ``detector-metadata``.
        DoesNotFit: ``detector-input`` or ``detector-output`` when input or output of the graph are not supported.
    """
    file = _graph_file(path)
    try:
        model = core().read_model(file)
    except RuntimeError as error:
        raise InvalidInput("model-damaged", name=file.name) from error
    return model, describe(model, read_metadata(file, model), file.name)


def describe(model: Any, metadata: GraphMetadata, name: str) -> GraphDescription:
    """Return the description of a graph; a dynamic input is reshaped to the size in the metadata.

    Raises:
        InvalidInput: ``detector-metadata``.
        DoesNotFit: ``detector-input`` or ``detector-output``.
    """
    layout, height, width = _input(model, metadata, name)
    if len(model.outputs) != 1:
        raise DoesNotFit(
            "detector-output", name=name, shape=LocalText.of("detector-outputs", {"count": len(model.outputs)})
        )
    partial = model.output(0).partial_shape
    shape = [int(size) for size in partial.to_shape()] if partial.is_static else []
    found = recognise(shape, height, width, len(metadata.names) or None, end_to_end=metadata.end_to_end)
    if found is None or metadata.task not in {None, "detect", "classify"}:
        task = f" ({metadata.task})" if metadata.task else ""
        raise DoesNotFit("detector-output", name=name, shape=f"{partial}{task}")
    head, count = found
    names = metadata.names or tuple(f"class-{number}" for number in range(count))
    try:
        prepared = _preparation(head, metadata, model, square=height == width)
        return GraphDescription(head=head, names=names, height=height, width=width, layout=layout, **prepared)
    except ValidationError as error:
        raise InvalidInput("detector-metadata", file=name, reason=first_problem(error).text) from error
    except InvalidMetadataError as error:
        raise InvalidInput("detector-metadata", file=name, reason=error.reason) from error


def require_fits(model: Any, description: GraphDescription, name: str) -> None:
    """Check that a graph has the input and the output of the description in its file.

    Raises:
        InvalidInput: ``model-damaged``.
    """
    size, count = (description.height, description.width), len(description.names)
    end_to_end = description.head is Head.END_TO_END
    try:
        layout, *given = _input(model, GraphMetadata(), name)
        output = model.output(0).partial_shape
        shape = [int(side) for side in output.to_shape()] if output.is_static and len(model.outputs) == 1 else []
    except DoesNotFit as error:
        raise InvalidInput("model-damaged", name=name) from error
    fits = recognise(shape, *size, count, end_to_end=end_to_end) == (description.head, count)
    if (layout, *given) != (description.layout, *size) or not fits:
        raise InvalidInput("model-damaged", name=name)


def _graph_file(path: Path) -> Path:
    if not is_folder(path):
        return path
    try:
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in GRAPH_SUFFIXES)
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error
    if len(found) != 1:
        raise InvalidInput("detector-folder", folder=str(path), count=len(found))
    return found[0]


def _input(model: Any, metadata: GraphMetadata, name: str) -> tuple[str, int, int]:
    if len(model.inputs) != 1 or model.input(0).partial_shape.rank.is_dynamic:
        raise DoesNotFit(
            "detector-input", name=name, shape=LocalText.of("detector-inputs", {"count": len(model.inputs)})
        )
    partial = model.input(0).partial_shape
    sizes = [int(size.get_length()) if size.is_static else None for size in partial]
    if len(sizes) == _IMAGE_AXES and _CHANNELS in {sizes[1], sizes[3]} and sizes[0] in {None, 1}:
        layout = "NCHW" if sizes[1] == _CHANNELS else "NHWC"
        rows, columns = (2, 3) if layout == "NCHW" else (1, 2)
        wanted = metadata.size or (None, None)
        height, width = sizes[rows] or wanted[0], sizes[columns] or wanted[1]
        if height is not None and width is not None:
            if partial.is_dynamic:
                model.reshape([1, 3, height, width] if layout == "NCHW" else [1, height, width, 3])
            return layout, height, width
    raise DoesNotFit("detector-input", name=name, shape=str(partial))


def _preparation(head: Head, metadata: GraphMetadata, model: Any, *, square: bool) -> dict[str, Any]:
    """Return the preprocessing: the exporter's, else that of ``model_info``."""
    if head is Head.YOLOX:
        return {"colour": "bgr", "scale": (1.0, 1.0, 1.0), "fitting": "letterbox-corner"}
    if head is not Head.CLASSIFIER:
        return {}
    normalised = _ends_in_probabilities(model)
    if metadata.ultralytics:
        # The transforms of ultralytics keep the aspect ratio for square inputs only.
        return {"fitting": "crop" if square else "stretch", "normalised": normalised}
    info: Mapping[str, str] = metadata.info or {}
    return {
        "fitting": {"crop": "crop", "fit_to_window_letterbox": "letterbox", "fit_to_window": "letterbox-corner"}.get(
            info.get("resize_type", ""), "stretch"
        ),
        # Images of the Model API are BGR: an input that is not reversed is BGR. Without the entry: RGB.
        "colour": "bgr" if info.get("reverse_input_channels", "True").lower() in {"no", "false", "0"} else "rgb",
        "mean": _three(info.get("mean_values", ""), 0.0),
        "scale": _three(info.get("scale_values", ""), 1.0),
        "normalised": normalised,
    }


def _three(text: str, otherwise: float) -> tuple[float, ...]:
    try:
        values = tuple(float(value) for value in text.replace(",", " ").replace("[", " ").replace("]", " ").split())
    except ValueError as error:
        raise InvalidMetadataError("detector-metadata-three", value=repr(text[:60])) from error
    if not values:
        return (otherwise,) * _CHANNELS
    if len(values) not in {1, _CHANNELS}:
        raise InvalidMetadataError("detector-metadata-three", value=repr(text[:60]))
    return values * _CHANNELS if len(values) == 1 else values


def _ends_in_probabilities(model: Any) -> bool:
    """Return whether the last operation, apart from reshaping, is a softmax or a sigmoid."""
    node = model.get_results()[0].input_value(0).get_node()
    while node.get_type_name() in {"Reshape", "Squeeze", "Unsqueeze", "Convert"}:
        node = node.input_value(0).get_node()
    return node.get_type_name() in {"Softmax", "Sigmoid"}
