"""Archives of named members with a manifest: uncompressed zip files, byte-identical for equal members."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inspection.model_files.foreign_files import foreign_kind, refusal_as_model
from models.errors import InvalidInput, NotFound
from models.storage import reason_of, sha256_of

MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAX_BYTES = 1024**3
_MAX_MANIFEST_BYTES = 16 * 1024**2
_REGULAR_FILE = 0o100644 << 16
# Exceptions zipfile raises for damaged archives; OSError for an offset before the start of the file.
_DAMAGED = (
    zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, RuntimeError, OSError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """The content of an archive whose members match the digests in its manifest.

    Attributes:
        manifest: JSON values, with at least ``format_version``, ``kind`` and ``members``.
        parts: name → bytes of each member except the manifest.
        digest: SHA-256 of the whole file, hexadecimal.
        size: bytes of the whole file.
    """

    manifest: Mapping[str, Any]
    parts: Mapping[str, bytes]
    digest: str
    size: int


def pack(manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """Return the bytes of an archive; ``members`` with the SHA-256 of each part is added to the manifest."""
    members = {name: sha256_of(data) for name, data in parts.items()}
    text = json.dumps({**manifest, "members": members}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in ((MANIFEST, text.encode()), *parts.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = _REGULAR_FILE
            archive.writestr(entry, data)
    return buffer.getvalue()


def unpack(data: bytes, name: str, known_version: int) -> Archive:
    """Read and check the bytes of an archive.

    Args:
        data: of the whole file.
        name: of the file, for messages.
        known_version: newest supported ``format_version``.

    Raises:
        InvalidInput: ``model-damaged``, ``model-too-new`` or a code of ``refusal_as_model``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if not _bounded(archive, len(data)):
                raise InvalidInput("model-damaged", name=name)
            manifest = json.loads(archive.read(MANIFEST))
            _require_known(manifest, name, known_version)
            parts = {member: archive.read(member) for member in manifest["members"]}
            digests = {member: sha256_of(part) for member, part in parts.items()}
    except _DAMAGED as error:
        raise InvalidInput(refusal_as_model(data), name=name, kind=foreign_kind(data)) from error
    if digests != manifest["members"]:
        raise InvalidInput("model-damaged", name=name)
    return Archive(manifest, parts, sha256_of(data), len(data))


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a model file.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-not-readable``; ``model-damaged`` when it exceeds the size limit.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidInput("model-damaged", name=path.name)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error


def archive_kind(path: Path) -> str | None:
    """Return the ``kind`` in a model file's manifest without reading its other members; None without one.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-not-readable``.
    """
    try:
        with path.open("rb") as file:
            return _kind_in(file, path.stat().st_size)
    except FileNotFoundError as error:
        raise NotFound("model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error


def _kind_in(file: BinaryIO, size: int) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST)) if _bounded(archive, size) else None
    except _DAMAGED:
        # Reading the whole file reports the damage.
        return None
    kind = manifest.get("kind") if isinstance(manifest, dict) else None
    return kind if isinstance(kind, str) else None


def _bounded(archive: zipfile.ZipFile, size: int) -> bool:
    """Return whether reading takes no more memory than the ``size`` bytes of the file.

    Members are neither compressed nor overlapping, so that a small file cannot exhaust the memory.
    """
    entries = archive.infolist()
    return (
        all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
        and sum(entry.file_size for entry in entries) <= size
        and archive.getinfo(MANIFEST).file_size <= _MAX_MANIFEST_BYTES
    )


def _require_known(manifest: object, name: str, known_version: int) -> None:
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format_version"), int):
        raise InvalidInput("model-damaged", name=name)
    version = manifest["format_version"]
    if version > known_version:
        raise InvalidInput("model-too-new", name=name, version=version, known=known_version)
