"""Model files (``model.npz``): arrays and JSON without pickle, checked by a digest."""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from inspection.model_files.foreign_files import foreign_kind, refusal_as_sensor_model
from inspection.sensor.model.metadata import FORMAT, SensorMetadata
from inspection.sensor.model.network import MAX_LAYERS, Network
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.model.sensor_model import Reference, SensorModel
from inspection.sensor.model.windows import Windows
from inspection.sensor.model_file.series_arrays import build_series, features_of_series, series_arrays
from models.errors import InvalidInput
from models.storage import reason_of, sha256_of_pieces, write_atomically

MAX_BYTES = 64 * 2**20
_METADATA, _DIGEST = "metadata", "sha256"
_REFERENCE = (
    "error_percentiles",
    "histogram_counts",
    "histogram_edges",
    "sensor_percentiles",
    "sensor_mean",
    "sensor_deviation",
)
_DAMAGE = (
    ValueError,
    KeyError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    MemoryError,  # a header with a huge shape
)
_NO_ARRAY = (*_DAMAGE, TypeError, OverflowError, SyntaxError, tokenize.TokenError)
"""Exceptions NumPy raises in addition for an invalid header."""

Arrays = dict[str, NDArray[np.generic]]
_Kind = TypeVar("_Kind", np.float32, np.float64, np.int64)


def save_model(path: Path | str, model: SensorModel) -> None:
    """Write a model file, byte-identical for equal models.

    Raises:
        Unavailable: ``file-disk-full``, ``file-not-written``.
    """
    write_atomically(Path(path), model_bytes(model))


def model_bytes(model: SensorModel) -> bytes:
    """Return the content of a model file."""
    arrays: Arrays = {
        "center": model.scaling.center,
        "scale": model.scaling.scale,
        "fill": model.scaling.fill,
        **{name: getattr(model.reference, name) for name in _REFERENCE},
    }
    for layer, (weight, bias) in enumerate(zip(model.network.weights, model.network.biases, strict=True)):
        arrays[f"weight_{layer}"] = weight
        arrays[f"bias_{layer}"] = bias
    if model.windows is not None:
        arrays["window_origin"] = model.windows.origin
        arrays["window_spread"] = model.windows.spread
    arrays.update(series_arrays(model))
    # The files of rows and windows stay as they were, for programs that know nothing of series.
    text = model.metadata.model_dump_json(exclude=None if model.series else {"series"}).encode()
    arrays[_METADATA] = np.frombuffer(text, np.uint8)
    arrays[_DIGEST] = np.frombuffer(_digest(arrays), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def load_model(path: Path | str) -> SensorModel:
    """Load a model file.

    Raises:
        InvalidInput: ``sensor-model-missing``, ``model-not-readable`` and what ``model_from_bytes`` raises.
    """
    file = Path(path)
    return model_from_bytes(read_bounded(file, "sensor-model-damaged"), file.name)


def read_bounded(path: Path, too_large: str) -> bytes:
    """Return the content of a model file of at most ``MAX_BYTES``.

    Raises:
        InvalidInput: ``sensor-model-missing``, ``model-not-readable``; the code ``too_large`` for larger files.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(too_large, name=path.name)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput("sensor-model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error


def model_from_bytes(data: bytes, name: str) -> SensorModel:
    """Return the model in the content of a file; nothing is unpickled.

    Raises:
        InvalidInput: ``model-too-new``, ``sensor-model-damaged`` or a code of ``refusal_as_sensor_model``.
    """
    try:
        arrays = _arrays(data)
        metadata = json.loads(arrays[_METADATA].tobytes())
        version = metadata.get("format") if isinstance(metadata, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise InvalidInput("model-too-new", name=name, version=version, known=FORMAT)
        if arrays.pop(_DIGEST).tobytes() != _digest(arrays):
            raise _damaged(name)
        return _build_model(arrays, SensorMetadata.model_validate(metadata))
    except ValidationError as error:
        raise _damaged(name) from error
    except _DAMAGE as error:
        file = Path(name).with_suffix(".npz").name
        raise InvalidInput(refusal_as_sensor_model(data), name=name, file=file, kind=foreign_kind(data)) from error


def _arrays(data: bytes) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise ValueError("larger than any model")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except _NO_ARRAY as error:
        raise ValueError("no arrays") from error
    # NumPy returns members without an array header as bytes.
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("no arrays")
    return arrays


def _build_model(arrays: Arrays, metadata: SensorMetadata) -> SensorModel:
    """Return the model of the arrays after checking that all shapes match and all numbers are finite."""
    sensors = len(metadata.columns)
    is_series = metadata.series is not None
    features = sensors if metadata.window == 1 else 2 * sensors
    if is_series:
        features = features_of_series(metadata)
    layers = sum(name.startswith("weight_") for name in arrays)
    if not 0 < layers <= MAX_LAYERS:
        raise ValueError("no layers")
    weights = tuple(_numbers(arrays, f"weight_{layer}", np.float32) for layer in range(layers))
    biases = tuple(_numbers(arrays, f"bias_{layer}", np.float32) for layer in range(layers))
    inputs = features
    for weight, bias in zip(weights, biases, strict=True):
        if weight.ndim != 2 or bias.shape != (weight.shape[1],) or weight.shape[0] != inputs:  # noqa: PLR2004
            raise ValueError("layers do not fit")
        inputs = weight.shape[1]
    if inputs != features:
        raise ValueError("output does not fit")
    scaling = Scaling(*(_floats(arrays, name, (features,)) for name in ("center", "scale", "fill")))
    windows = None
    if metadata.window > 1 and not is_series:
        origin, spread = (_floats(arrays, f"window_{name}", (sensors,)) for name in ("origin", "spread"))
        windows = Windows(metadata.window, origin, spread)
        if (spread <= 0).any():
            raise ValueError("spread")
    if (scaling.scale <= 0).any():
        raise ValueError("scale")
    counts = _numbers(arrays, "histogram_counts", np.int64)
    if counts.ndim != 1:
        raise ValueError("histogram")
    reference = Reference(
        error_percentiles=_floats(arrays, "error_percentiles", (101,)),
        histogram_counts=counts,
        histogram_edges=_floats(arrays, "histogram_edges", (len(counts) + 1,)),
        sensor_percentiles=_floats(arrays, "sensor_percentiles", (sensors, 101)),
        sensor_mean=_floats(arrays, "sensor_mean", (sensors,)),
        sensor_deviation=_floats(arrays, "sensor_deviation", (sensors,)),
    )
    network = Network(weights, biases)
    if not is_series:
        return SensorModel(metadata, scaling, network, reference, windows)
    series, evidence = build_series(metadata, set(arrays), lambda name, shape: _floats(arrays, name, shape))
    return SensorModel(metadata, scaling, network, reference, None, series, evidence)


def _floats(
    arrays: Mapping[str, NDArray[np.generic]], name: str, shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    found = _numbers(arrays, name, np.float64)
    if shape is not None and found.shape != shape:
        raise ValueError(name)
    return found


def _numbers(arrays: Mapping[str, NDArray[np.generic]], name: str, kind: type[_Kind]) -> NDArray[_Kind]:
    """Return an array of finite numbers; another dtype than ``model_bytes`` writes is rejected, not converted."""
    if arrays[name].dtype != np.dtype(kind) or not np.isfinite(arrays[name]).all():
        raise ValueError(name)
    found: NDArray[_Kind] = np.array(arrays[name], kind)
    found.setflags(write=False)
    return found


def _digest(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Return SHA-256 over names, dtypes, shapes and bytes of all arrays."""
    ordered = ((name, np.ascontiguousarray(arrays[name])) for name in sorted(arrays))
    pieces = (
        piece
        for name, array in ordered
        for piece in (f"{name}\0{array.dtype.str}\0{array.shape}\0".encode(), array.tobytes())
    )
    return bytes.fromhex(sha256_of_pieces(pieces))


def _damaged(name: str) -> InvalidInput:
    return InvalidInput("sensor-model-damaged", name=name)
