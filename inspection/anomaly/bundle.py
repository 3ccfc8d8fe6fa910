"""The file of an anomaly model: a manifest and an OpenVINO graph in one archive, byte-identical for equal models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from inspection.anomaly.manifest import FORMAT_VERSION, BundleManifest
from inspection.model_files import archive
from models.errors import InvalidInput
from models.storage import sha256_of

GRAPH, WEIGHTS = "model.xml", "model.bin"


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """The content of a model file whose digests were checked.

    Attributes:
        manifest: of the file.
        graph: OpenVINO ``.xml``.
        weights: OpenVINO ``.bin``.
        digest: SHA-256 of the whole file, hexadecimal.
    """

    manifest: BundleManifest
    graph: bytes
    weights: bytes
    digest: str


def pack(manifest: BundleManifest, graph: bytes, weights: bytes) -> bytes:
    """Return the bytes of a model file; the digests of the members are added here."""
    return archive.pack(manifest.model_dump(mode="json"), {GRAPH: graph, WEIGHTS: weights})


def unpack(data: bytes, name: str) -> Bundle:
    """Read and check the bytes of a model file.

    Raises:
        InvalidInput: ``model-damaged`` or ``model-too-new``.
    """
    found = archive.unpack(data, name, FORMAT_VERSION)
    try:
        manifest = BundleManifest.model_validate(found.manifest)
        graph, weights = found.parts[GRAPH], found.parts[WEIGHTS]
    except (ValidationError, KeyError) as error:
        raise InvalidInput("model-damaged", name=name) from error
    return Bundle(manifest, graph, weights, found.digest)


def read_bundle(path: Path) -> Bundle:
    """Read and check a model file.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
    """
    return unpack(archive.read_bytes(path), path.name)


def read_manifest(path: Path) -> BundleManifest:
    """Return the manifest of a model file after checking all of the file; see ``read_bundle``."""
    return read_bundle(path).manifest


def bundle_digest(path: Path) -> str:
    """Return the SHA-256 of a model file, hexadecimal.

    Raises:
        NotFound: ``model-missing``.
    """
    return sha256_of(archive.read_bytes(path))
