"""Metadata beside a graph: ``metadata.yaml`` or ONNX metadata of ultralytics, ``model_info``, a label file."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.detection.graph.description import LARGEST_SIDE, usable_name
from inspection.detection.reasons import InvalidMetadataError, decoded
from models.errors import InvalidInput
from models.messages import LocalText
from models.storage import reason_of

_MAX_BYTES = 4 * 1024 * 1024
_MISSING = object()
_OPENVINO = ".xml"
_ULTRALYTICS_KEYS = ("task", "imgsz", "names", "end2end")


@dataclass(frozen=True, slots=True)
class GraphMetadata:
    """The metadata of a graph; None or empty where missing.

    Attributes:
        ultralytics: whether ultralytics exported it.
        task: ``detect``, ``classify``…, as named by ultralytics.
        names: of the classes, by number.
        size: rows and columns of the input.
        end_to_end: whether the exported graph needs no non-maximum suppression.
        info: OpenVINO's ``model_info``, as defined by its Model API.
    """

    ultralytics: bool = False
    task: str | None = None
    names: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    end_to_end: bool = False
    info: Mapping[str, str] | None = None


def read_metadata(graph: Path, model: Any) -> GraphMetadata:
    """Return the metadata of the graph in a file.

    A file ``labels.txt`` beside the graph, or one with the graph's name and the suffix ``.labels.txt``, one class per
    line, overrides the class names in the graph.

    Args:
        graph: the ``.xml`` or ``.onnx`` file.
        model: the OpenVINO model read from it.

    Raises:
        InvalidInput: ``detector-metadata`` when a file beside the graph is invalid.
    """
    info = _section(model, "model_info")
    beside = graph.suffix.lower() == _OPENVINO
    raw = _yaml(graph.parent / "metadata.yaml") if beside else _section(model, "framework")
    labels = _labels(graph)
    if not any(key in raw for key in _ULTRALYTICS_KEYS):
        return GraphMetadata(names=labels or tuple(info.get("labels", "").split()), info=info)
    names = labels or _names(_value(raw.get("names")), graph)
    return GraphMetadata(
        ultralytics=True,
        task=str(raw["task"]) if "task" in raw else None,
        names=names,
        size=_size(_value(raw.get("imgsz")), graph),
        end_to_end=_value(raw.get("end2end")) is True,
        info=info,
    )


def metadata_files(graph: Path) -> list[Path]:
    """Return the paths, existing or not, of the metadata files of a graph."""
    labels = _label_files(graph)
    return [*labels, graph.parent / "metadata.yaml"] if graph.suffix.lower() == _OPENVINO else labels


def _label_files(graph: Path) -> list[Path]:
    return [graph.with_suffix(".labels.txt"), graph.parent / "labels.txt"]


def _section(model: Any, name: str) -> dict[str, str]:
    """Return a section of an OpenVINO model's runtime information as strings by name."""
    if not model.has_rt_info([name]):
        return {}
    section = model.get_rt_info([name])
    values = section if isinstance(section, dict) else section.value
    if not isinstance(values, dict):
        return {}
    return {str(key): str(getattr(value, "value", value)) for key, value in values.items()}


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _invalid(path, reason_of(error)) from error
    try:
        return read_yaml(data)
    except InvalidMetadataError as error:
        raise _invalid(path, error.reason) from error


def read_yaml(data: bytes) -> dict[str, Any]:
    """Return a YAML mapping; only plain values are constructed, no objects.

    Class names, under ``names``, are the texts as they are written: YAML 1.1 would make ``off`` and ``NO`` false,
    ``010`` eight and ``12:30`` 750.

    Raises:
        InvalidMetadataError: with the reason.
    """
    yaml = importlib.import_module("yaml")
    if len(data) > _MAX_BYTES:
        raise InvalidMetadataError("detector-text-large", most=_MAX_BYTES)
    try:
        found = yaml.safe_load(data)
        if isinstance(found, dict) and "names" in found:
            found["names"] = yaml.load(data, Loader=yaml.BaseLoader)["names"]
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        if place is None:
            raise InvalidMetadataError("detector-yaml-invalid") from error
        raise InvalidMetadataError("detector-yaml-place", line=place.line + 1, column=place.column + 1) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: an invalid date, such as the 30th of February.
        raise InvalidMetadataError("detector-yaml-invalid") from error
    if not isinstance(found, dict):
        raise InvalidMetadataError("detector-yaml-values")
    return {str(key): value for key, value in found.items()}


def class_names(value: object) -> tuple[str, ...]:
    """Return the class names of a list, or of a mapping from 0, 1, 2… to names.

    Raises:
        InvalidMetadataError: with the reason.
    """
    listed = value
    if isinstance(value, dict):
        numbered = {str(number): name for number, name in value.items()}
        listed = [numbered.get(str(number), _MISSING) for number in range(len(value))]
    if not isinstance(listed, list) or not listed or _MISSING in listed:
        raise InvalidMetadataError("detector-metadata-numbers")
    # Plain values only: YAML aliases can expand a few lines to a list that exhausts the memory.
    if not all(isinstance(name, str | int | float) for name in listed):
        raise InvalidMetadataError("detector-metadata-empty-name")
    return tuple(usable_name(str(name)) for name in listed)


def _names(value: object, graph: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    try:
        return class_names(value)
    except InvalidMetadataError as error:
        raise _invalid(graph, error.reason) from error


def _size(value: object, graph: Path) -> tuple[int, int] | None:
    """Return rows and columns of an ``imgsz``: one number or two."""
    if value is None:
        return None
    match [value, value] if isinstance(value, int) else value:
        case [int(height), int(width)] if 0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE:
            return height, width
    raise _invalid(graph, LocalText.of("detector-metadata-size", {"largest": LARGEST_SIDE}))


def _value(value: object) -> object:
    """Return a value of ONNX metadata, parsed from its string if possible."""
    if not isinstance(value, str):
        return value
    try:
        parsed: object = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return value
    return parsed


def _labels(graph: Path) -> tuple[str, ...]:
    for path in _label_files(graph):
        try:
            text = decoded(path.read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _invalid(path, reason_of(error)) from error
        except InvalidMetadataError as error:
            raise _invalid(path, error.reason) from error
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    return ()


def _invalid(path: Path, reason: str) -> InvalidInput:
    return InvalidInput("detector-metadata", file=str(path), reason=reason)
