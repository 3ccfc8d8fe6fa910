"""Recognition of intact files of another kind than expected: torch files, sensor or image models, text."""

from __future__ import annotations

import codecs

from inspection.model_files.torch_files import is_torch_file
from inspection.model_files.zip_members import member_names

_SAMPLE_LINES = 4096
_ARCHIVE = b"PK\x03\x04"
_CONTROL = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f")
_SENSOR_MODEL = frozenset({"metadata.npy", "sha256.npy"})
_IMAGE_MODEL = frozenset({"manifest.json"})
# First bytes of the files of other programs, at their place in the file.
_KINDS = (
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 (Keras)"),
    (4, b"TFL3", "TensorFlow Lite"),
    (8, b'{"', "safetensors"),
    (0, b"GGUF", "GGUF"),
    (0, b"\x93NUMPY", "NumPy"),
    (0, b"ftrt", "TensorRT"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!", "RAR"),
    (257, b"ustar", "tar"),
    (0, b"%PDF", "PDF"),
    (0, b"SQLite format 3\0", "SQLite"),
    (0, b"HALCON", "HALCON"),
)
_PICKLE_BEGINS = tuple(b"\x80" + bytes([protocol]) for protocol in (2, 3, 4, 5))
_ONNX_BEGINS = tuple(b"\x08" + bytes([version]) + b"\x12" for version in range(1, 32))


def refusal_as_model(data: bytes) -> str:
    """Return the error code for bytes that are not an image model: their actual kind, else ``model-damaged``."""
    if is_torch_file(data):
        return "model-of-torch"
    if member_names(data) >= _SENSOR_MODEL:
        return "model-of-sensors"
    if foreign_kind(data):
        return "model-not-supported"
    return "model-is-text" if is_text(data) else "model-damaged"


def refusal_as_sensor_model(data: bytes) -> str:
    """Return the error code for bytes that are not a sensor model: their actual kind, else ``sensor-model-damaged``."""
    if is_torch_file(data):
        return "sensor-model-of-torch"
    if member_names(data) >= _IMAGE_MODEL:
        return "sensor-model-of-images"
    if foreign_kind(data):
        return "model-not-supported"
    return "model-is-text" if is_text(data) else "sensor-model-damaged"


def foreign_kind(data: bytes) -> str:
    """Return the kind of file of another program that the bytes are; empty when none is recognised.

    An archive counts when it is complete and holds nothing as a model file of this product does.
    """
    found = next((kind for at, begin, kind in _KINDS if data[at : at + len(begin)] == begin), "")
    if found:
        return found
    if data.startswith(_PICKLE_BEGINS):
        return "pickle"
    if data.startswith(_ONNX_BEGINS):
        return "ONNX"
    names = member_names(data)
    is_ours = "manifest.json" in names or any(name.endswith(".npy") for name in names)
    return "ZIP" if names and not is_ours else ""


def is_text(data: bytes) -> bool:
    """Return whether the bytes begin with UTF-8 or UTF-16 text; truncated archives do not count."""
    begin = data[:_SAMPLE_LINES]
    encoding = "utf-16" if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        # The sample may end within a character.
        text = codecs.getincrementaldecoder(encoding)().decode(begin, final=len(begin) == len(data))
    except UnicodeDecodeError:
        return False
    # The first bytes of an archive alone are a truncated archive.
    return not _ARCHIVE.startswith(data) and _CONTROL.isdisjoint(text)
