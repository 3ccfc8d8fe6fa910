"""The model file of a detector or classifier: its graph, input description and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from inspection.detection.model_file.manifest import FORMAT_VERSION, DetectorManifest
from inspection.model_files.archive import Archive, pack, read_bytes, unpack
from models.errors import InvalidInput

GRAPH, WEIGHTS = "model.xml", "model.bin"
DETECTION_KINDS = frozenset({"detector", "classifier"})


@dataclass(frozen=True, slots=True, eq=False)
class DetectorBundle:
    """The content of a model file whose digests were checked.

    Attributes:
        manifest: of the file.
        graph: OpenVINO ``.xml``.
        weights: OpenVINO ``.bin``.
        digest: SHA-256 of the whole file, hexadecimal.
        size: bytes of the whole file.
    """

    manifest: DetectorManifest
    graph: bytes
    weights: bytes
    digest: str
    size: int


def pack_detector(manifest: DetectorManifest, graph: bytes, weights: bytes) -> bytes:
    """Return the bytes of a model file; the digests of the members are added here."""
    return pack(manifest.model_dump(mode="json"), {GRAPH: graph, WEIGHTS: weights})


def read_detector(path: Path) -> DetectorBundle:
    """Read and check a model file.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
    """
    archive = unpack(read_bytes(path), path.name, FORMAT_VERSION)
    return _checked(archive, path.name)


def _checked(archive: Archive, name: str) -> DetectorBundle:
    try:
        manifest = DetectorManifest.model_validate(archive.manifest)
        graph, weights = archive.parts[GRAPH], archive.parts[WEIGHTS]
    except (ValidationError, KeyError) as error:
        raise InvalidInput("model-damaged", name=name) from error
    return DetectorBundle(manifest, graph, weights, archive.digest, archive.size)
