"""The model in an uploaded file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from models.errors import TooLarge
from models.storage import sha256_of

if TYPE_CHECKING:
    from inspection.sensor import SensorModel

MAX_MODEL_BYTES = 8 * 2**20
"""A model of 512 sensors with the widest layers has 6 MB."""
NPZ = "application/x-npz"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A whole ``model.npz``.

    Attributes:
        model: in it.
        data: its bytes.
        sha256: digest of the bytes.
    """

    model: SensorModel
    data: bytes
    sha256: str


def read_model(file: BinaryIO, name: str) -> ModelFile:
    """Return the model in a file; nothing is unpickled.

    Raises:
        TooLarge: ``body-too-large``.
        InvalidInput: as ``model_from_bytes``.
    """
    from inspection.sensor import model_from_bytes

    data = file.read(MAX_MODEL_BYTES + 1)
    if len(data) > MAX_MODEL_BYTES:
        raise TooLarge("body-too-large", limit=MAX_MODEL_BYTES, members={"limit_bytes": MAX_MODEL_BYTES})
    return ModelFile(model_from_bytes(data, name), data, sha256_of(data))
