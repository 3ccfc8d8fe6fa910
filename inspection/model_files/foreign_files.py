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


def refusal_as_model(data: bytes) -> str:
    """Return the error code for bytes that are not an image model: their actual kind, else ``model-damaged``."""
    if is_torch_file(data):
        return "model-of-torch"
    if member_names(data) >= _SENSOR_MODEL:
        return "model-of-sensors"
    return "model-is-text" if is_text(data) else "model-damaged"


def refusal_as_sensor_model(data: bytes) -> str:
    """Return the error code for bytes that are not a sensor model: their actual kind, else ``sensor-model-damaged``."""
    if is_torch_file(data):
        return "sensor-model-of-torch"
    if member_names(data) >= _IMAGE_MODEL:
        return "sensor-model-of-images"
    return "model-is-text" if is_text(data) else "sensor-model-damaged"


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
