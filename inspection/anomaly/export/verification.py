"""Whether a model file scores as it should: as its training computed, or as another file does."""

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
from models.errors import DoesNotFit
from models.messages import LocalText

_GENERATED = 16


@dataclass(frozen=True, slots=True)
class Verification:
    """A model file that was found in order.

    Attributes:
        path: the file; complete and unchanged.
        digest: its SHA-256.
        precision: its own.
        reference: what its scores were compared with: ``training``, or the name of the other file.
        parity: how well they agree; None for a file of format 1, which holds no scores to compare with.
    """

    path: Path
    digest: str
    precision: str
    reference: str
    parity: Parity | None


def verify_model(path: Path) -> Verification:
    """Check that a model file is whole and scores generated images as its training did, on this computer.

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
    """Check that a model file scores images as another does, and that no verdict is another.

    Args:
        path: the file to check.
        other: the one that is right.
        images: files to score; without any, generated ones.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
        UnreadableImage: when an image cannot be read.
        DoesNotFit: ``model-verify-parity`` with the numbers, or what a model says of an image that does not fit it.
    """
    model, reference = AnomalyModel(read_bundle(path), path.name), AnomalyModel(read_bundle(other), other.name)
    scored = read_images(images) if images else generated_images(reference)
    found, expected = scores_of((model, reference), scored)
    parity = compare(expected, found, reference.threshold, model.threshold)
    return Verification(path, model.digest, model.manifest.precision, other.name, _require(parity, path, other.name))


def scores_of(models: Sequence[AnomalyModel], images: Iterable[Pixels]) -> list[list[float]]:
    """Return the scores of the images by each model."""
    scores: list[list[float]] = [[] for _ in models]
    for pixels in images:
        for model, found in zip(models, scores, strict=True):
            found.append(model.score(pixels).score)
    return scores


def generated_images(model: AnomalyModel, count: int = _GENERATED) -> Iterator[Pixels]:
    """Give generated images of the size of those the model was trained on, grey ``(H, W)`` uint8."""
    size = model.manifest.preprocessing
    return (probe_image(number, size.median_height, size.median_width) for number in range(count))


def read_images(paths: Sequence[Path]) -> Iterator[Pixels]:
    """Give the images of these files, one in memory at a time, RGB ``(H, W, 3)`` uint8.

    Raises:
        UnreadableImage: when one cannot be read, as soon as it is its turn.
    """
    return (read_image(path) for path in paths)


def _require(parity: Parity, path: Path, reference: str) -> Parity:
    if not parity.holds:
        raise DoesNotFit("model-verify-parity", name=path.name, reference=reference, **parity.values())
    return parity
