"""Export of a model file to another precision, checked for parity with its source before it is written."""

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
from inspection.anomaly.manifest import format_of
from inspection.anomaly.model import AnomalyModel
from inspection.imaging.frames import Pixels
from models.errors import DoesNotFit, InvalidInput
from models.storage import make_folder, require_writable, write_atomically

Precision = Literal["fp32", "int8"]


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of an export.

    Attributes:
        path: the written model file.
        digest: SHA-256 of the file.
        precision: of the file.
        parity: with the source, on the calibration images or, without any, on generated ones.
        size: bytes of the file.
        source_size: bytes of the source.
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
        out: the model file to write; its folder is created when missing.
        precision: ``fp32`` keeps network and scores; ``int8`` quantises the backbone.
        calibration: images like those to be inspected; required for ``int8``, used for the parity check of both.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``; ``too-few-images`` when ``int8``
            has no calibration image; ``model-not-fp32`` when the source is an INT8 model.
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
    # Scored first, so that unreadable or unsuitable images are reported before the long work.
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
    return read_images(calibration, reference.manifest.reading) if calibration else generated_images(reference)


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
    version = format_of(manifest.reading.values, manifest.preprocessing.tile)
    return pack(manifest.model_copy(update={"format_version": version}), graph, weights)
