"""A model file in another precision, checked against the one it is made from before anybody gets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inspection.anomaly.bundle import Bundle, pack, read_bundle, unpack
from inspection.anomaly.export.parity import Parity, compare
from inspection.anomaly.export.probes import PROBES
from inspection.anomaly.export.quantise import quantise_in_own_process
from inspection.anomaly.export.verification import generated_images, read_images, scores_of
from inspection.anomaly.manifest import FORMAT_VERSION
from inspection.anomaly.model import AnomalyModel
from inspection.imaging.frames import Pixels
from models.errors import DoesNotFit, InvalidInput
from models.storage import make_folder, require_writable, write_atomically

Precision = Literal["fp32", "int8"]


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export gave.

    Attributes:
        path: the model file that was written.
        digest: its SHA-256.
        precision: its own.
        parity: with the model it was made from, on the calibration images or, without any, on generated ones.
        size: bytes of the file.
        source_size: bytes of the file it was made from.
    """

    path: Path
    digest: str
    precision: Precision
    parity: Parity
    size: int
    source_size: int


def export_model(source: Path, out: Path, precision: Precision, calibration: Sequence[Path] = ()) -> ExportReport:
    """Write the model ``source`` in ``precision`` to ``out``, in the format of this version.

    Scores of the new file must equal those of the old within 1e-3, and no verdict may flip; else nothing is written.

    Args:
        source: a model file.
        out: the model file to write; its folder is made when missing.
        precision: ``fp32`` keeps network and scores as they are; ``int8`` quantises the backbone.
        calibration: images like those that will be inspected; ``int8`` needs them, and both are checked on them.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``; ``too-few-images`` when ``int8``
            is given no image; ``model-not-fp32`` when an INT8 model is to be quantised again.
        UnreadableImage: when a calibration image cannot be read.
        DoesNotFit: ``model-export-parity`` with the numbers; ``image-scale`` or ``image-not-aligned`` for a
            calibration image that does not fit the model.
        Unavailable: ``quantise-packages-missing``, ``quantise-failed``, ``file-not-written`` or ``file-disk-full``.
    """
    bundle = read_bundle(source)
    if bundle.manifest.precision not in (precision, "fp32"):
        raise InvalidInput("model-not-fp32", name=source.name, precision=bundle.manifest.precision.upper())
    require_writable(out)
    if precision == "int8" and not calibration:
        raise InvalidInput("too-few-images", count=0, least=1)
    reference = AnomalyModel(bundle, source.name)
    # Before the long work, so that an image that cannot be read or does not fit is told as what it is.
    (expected,) = scores_of((reference,), _images(reference, calibration))
    data = _packed(bundle, reference, source, precision, calibration)
    finished = AnomalyModel(unpack(data, out.name), out.name)
    (found,) = scores_of((finished,), _images(reference, calibration))
    parity = compare(expected, found, reference.threshold, finished.threshold)
    if not parity.holds:
        raise DoesNotFit("model-export-parity", name=source.name, precision=precision.upper(), **parity.values())
    make_folder(out.parent)
    size = source.stat().st_size
    write_atomically(out, data)
    return ExportReport(out, finished.digest, precision, parity, len(data), size)


def _images(reference: AnomalyModel, calibration: Sequence[Path]) -> Iterator[Pixels]:
    return read_images(calibration) if calibration else generated_images(reference)


def _packed(
    bundle: Bundle, reference: AnomalyModel, source: Path, precision: Precision, calibration: Sequence[Path]
) -> bytes:
    manifest, graph, weights = bundle.manifest, bundle.graph, bundle.weights
    if not manifest.probes:
        probes = generated_images(reference, PROBES)
        (scores,) = scores_of((reference,), probes)
        manifest = manifest.model_copy(update={"probes": tuple(scores)})
    if precision != manifest.precision:
        graph, weights, versions = quantise_in_own_process(source, calibration)
        manifest = manifest.model_copy(
            update={"precision": precision, "versions": {**manifest.versions, **versions}}
        )  # fmt: skip
    return pack(manifest.model_copy(update={"format_version": FORMAT_VERSION}), graph, weights)
