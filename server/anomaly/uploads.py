"""What an uploaded file is, and the model in one that has been trained elsewhere."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

from models.errors import TooLarge
from models.storage import sha256_of

if TYPE_CHECKING:
    from inspection.sensor import SensorModel

MAX_MODEL_BYTES = 8 * 2**20
"""A model of 512 sensors with the widest layers has 6 MB."""
NPZ = "application/x-npz"
_ARCHIVE = b"PK\x03\x04"


class UploadKind(StrEnum):
    """Kinds of files to make a model of."""

    MODEL = "model"
    CHECKPOINT = "checkpoint"
    TABLE = "table"


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


def kind_of(file: BinaryIO) -> UploadKind:
    """Return what a file is by its content: both model files are ZIP archives, and a table is none."""
    head = file.read(len(_ARCHIVE))
    file.seek(0)
    if head != _ARCHIVE:
        return UploadKind.TABLE
    try:
        with zipfile.ZipFile(file) as archive:
            is_checkpoint = any(name.endswith("/data.pkl") or name == "data.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        is_checkpoint = False  # Reading it as a model says what is wrong with it.
    file.seek(0)
    return UploadKind.CHECKPOINT if is_checkpoint else UploadKind.MODEL


def bounded(file: BinaryIO) -> BinaryIO:
    """Return a file of a model, which is not too large.

    Raises:
        TooLarge: ``body-too-large``.
    """
    if file.seek(0, os.SEEK_END) > MAX_MODEL_BYTES:
        raise TooLarge("body-too-large", limit=MAX_MODEL_BYTES, members={"limit_bytes": MAX_MODEL_BYTES})
    file.seek(0)
    return file


def read_model(file: BinaryIO, name: str) -> ModelFile:
    """Return the model in a file; nothing is unpickled.

    Raises:
        TooLarge: ``body-too-large``.
        InvalidInput: as ``model_from_bytes``.
    """
    from inspection.sensor import model_from_bytes

    data = bounded(file).read()
    return ModelFile(model_from_bytes(data, name), data, sha256_of(data))
