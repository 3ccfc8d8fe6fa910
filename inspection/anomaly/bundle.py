"""The model file: a zip archive, not compressed, of a manifest and an OpenVINO graph; same model, same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from inspection.anomaly.manifest import FORMAT_VERSION, BundleManifest
from models.errors import InvalidInput, NotFound

MANIFEST, GRAPH, WEIGHTS = "manifest.json", "model.xml", "model.bin"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_BYTES = 1024**3
_REGULAR_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A model file that was read and checked.

    Attributes:
        manifest: what it says about itself.
        graph: OpenVINO ``.xml``.
        weights: OpenVINO ``.bin``.
        digest: SHA-256 of the whole file, hexadecimal.
    """

    manifest: BundleManifest
    graph: bytes
    weights: bytes
    digest: str


def pack(manifest: BundleManifest, graph: bytes, weights: bytes) -> bytes:
    """Return the bytes of a model file; the digests of the members are entered here."""
    members = {GRAPH: hashlib.sha256(graph).hexdigest(), WEIGHTS: hashlib.sha256(weights).hexdigest()}
    complete = manifest.model_copy(update={"members": members})
    text = json.dumps(complete.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in ((MANIFEST, text.encode()), (GRAPH, graph), (WEIGHTS, weights)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = _REGULAR_FILE
            archive.writestr(entry, data)
    return buffer.getvalue()


def unpack(data: bytes, name: str) -> Bundle:
    """Read and check the bytes of a model file.

    Raises:
        InvalidInput: ``model-damaged`` or ``model-too-new``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                raise InvalidInput("model-damaged", name=name)
            raw = json.loads(archive.read(MANIFEST))
            version = raw.get("format_version") if isinstance(raw, dict) else None
            if isinstance(version, int) and version > FORMAT_VERSION:
                raise InvalidInput("model-too-new", name=name, version=version, known=FORMAT_VERSION)
            manifest = BundleManifest.model_validate(raw)
            graph, weights = archive.read(GRAPH), archive.read(WEIGHTS)
    except (
        zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, OSError,
    ) as error:  # fmt: skip
        # zipfile answers a damaged archive with any of these.
        raise InvalidInput("model-damaged", name=name) from error
    expected = {GRAPH: hashlib.sha256(graph).hexdigest(), WEIGHTS: hashlib.sha256(weights).hexdigest()}
    if manifest.members != expected:
        raise InvalidInput("model-damaged", name=name)
    return Bundle(manifest, graph, weights, hashlib.sha256(data).hexdigest())


def read_bundle(path: Path) -> Bundle:
    """Read and check a model file.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
    """
    return unpack(_bytes_of(path), path.name)


def read_manifest(path: Path) -> BundleManifest:
    """Return the manifest of a model file after checking all of the file; see ``read_bundle``."""
    return read_bundle(path).manifest


def bundle_digest(path: Path) -> str:
    """Return the SHA-256 of a model file, hexadecimal.

    Raises:
        NotFound: ``model-missing``.
    """
    return hashlib.sha256(_bytes_of(path)).hexdigest()


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput("model-damaged", name=path.name)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name, reason=error.strerror or str(error)) from error
