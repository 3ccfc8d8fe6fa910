"""Verification of a model file: its scores match those of its training, or those of another file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspection.anomaly.bundle import read_bundle
from inspection.anomaly.export.parity import Parity, compare
from inspection.anomaly.export.probes import probe_image
from inspection.anomaly.model import AnomalyModel
from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from inspection.imaging.reading import AS_DECLARED, Reading
from models.errors import DoesNotFit
from models.messages import LocalText

_GENERATED = 16


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a successful verification.

    Attributes:
        path: the model file, complete and unchanged.
        digest: SHA-256 of the file.
        precision: of the file.
        reference: ``training``, or the name of the file its scores were compared with.
        parity: agreement with the reference; None for a file of format 1, which stores no probe scores.
    """

    path: Path
    digest: str
    precision: str
    reference: str
    parity: Parity | None


def verify_model(path: Path) -> Verification:
    """Check that a model file is complete and scores the probe images on this computer as its training did.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
        DoesNotFit: ``model-verify-parity`` with the numbers.
    """
    model = AnomalyModel(read_bundle(path), path.name)
    expected = model.manifest.probes
    reference = "training"
    if not expected:
        return Verification(path, model.digest, model.manifest.precision, reference, None)
    (found,) = scores_of((model,), generated_images(model, len(expected)))
    parity = _require(compare(expected, found, model.threshold), path, LocalText.of("model-own-training", {}))
    return Verification(path, model.digest, model.manifest.precision, reference, parity)


def verify_against(path: Path, other: Path, images: Sequence[Path] = ()) -> Verification:
    """Check that a model file scores images as another does, and that no verdict differs.

    Args:
        path: the file to check.
        other: the reference.
        images: files to score; generated images when empty.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
        UnreadableImage: when an image cannot be read.
        DoesNotFit: ``model-verify-parity`` with the numbers, or as ``AnomalyModel.score``.
    """
    model, reference = AnomalyModel(read_bundle(path), path.name), AnomalyModel(read_bundle(other), other.name)
    scored = read_images(images, reference.manifest.reading) if images else generated_images(reference)
    found, expected = scores_of((model, reference), scored)
    parity = compare(expected, found, reference.threshold, model.threshold)
    return Verification(path, model.digest, model.manifest.precision, other.name, _require(parity, path, other.name))


def scores_of(models: Sequence[AnomalyModel], images: Iterable[Pixels]) -> list[list[float]]:
    """Return the scores of the images, one list per model; images are uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``."""
    scores: list[list[float]] = [[] for _ in models]
    for pixels in images:
        for model, found in zip(models, scores, strict=True):
            found.append(model.score(pixels).score)
    return scores


def generated_images(model: AnomalyModel, count: int = _GENERATED) -> Iterator[Pixels]:
    """Return an iterator over probe images of the model's median size, grey ``(H, W)`` uint8."""
    size = model.manifest.preprocessing
    return (probe_image(number, size.median_height, size.median_width) for number in range(count))


def read_images(paths: Sequence[Path], reading: Reading = AS_DECLARED) -> Iterator[Pixels]:
    """Return an iterator over the images of files, decoded one at a time, RGB ``(H, W, 3)`` uint8.

    Raises:
        UnreadableImage: during iteration, when a file cannot be read.
    """
    return (read_image(path, reading=reading) for path in paths)


def _require(parity: Parity, path: Path, reference: str) -> Parity:
    if not parity.holds:
        raise DoesNotFit("model-verify-parity", name=path.name, reference=reference, **parity.values())
    return parity
