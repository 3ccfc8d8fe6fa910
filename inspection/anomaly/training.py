"""Training a model from good images alone."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inspection.anomaly.backbone import DEFAULT_BACKBONE, Backbone, find_backbone, serialise
from inspection.anomaly.bundle import pack, unpack
from inspection.anomaly.course import Course, OnProgress, TrainingCancelled, TrainingProgress
from inspection.anomaly.fitting import PARITY_IMAGES, Fitting
from inspection.anomaly.manifest import (
    FORMAT_VERSION,
    BackboneRecord,
    BundleManifest,
    DataRecord,
    Preprocessing,
    ThresholdRecord,
)
from inspection.anomaly.material import Material, look_at
from inspection.anomaly.networks import anomaly_graph
from inspection.anomaly.patchcore import PatchCore
from inspection.anomaly.threshold import Threshold, choose_threshold
from inspection.files import make_folder, require_writable, write_atomically
from models.errors import DoesNotFit, InvalidInput, UnreadableImage

__all__ = ["TrainingCancelled", "TrainingProgress", "TrainingReport", "TrainingSettings", "train_images"]

LEAST_IMAGES = 5
LARGEST_SEED = 2**63 - 1
LONGEST_NAME = 200
# What reading an image counts for, where computing its features counts for 1.
_READING = 0.5


class TrainingSettings(BaseModel):
    """What can be chosen for a training.

    Attributes:
        name: of the model, for people.
        backbone: network the features come from.
        bank_size: most patches the model remembers; memory and time of a score grow with it.
        false_alarm_rate: share of good parts that the threshold may reject.
        folds: parts the images are divided into to score each by a model that has not seen it.
        seed: the same images, settings, versions and seed give the same file.
        threads: processor threads; 0 takes the setting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=LONGEST_NAME)
    backbone: str = DEFAULT_BACKBONE
    bank_size: int = Field(default=5000, ge=100, le=50_000)
    false_alarm_rate: float = Field(default=0.05, gt=0, lt=0.5)
    folds: int = Field(default=10, ge=2, le=20)
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    threads: int = Field(default=0, ge=0, le=256)


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training gave.

    Attributes:
        path: the model file.
        digest: its SHA-256.
        threshold: chosen from good images that were held out.
        images: used, without exact duplicates.
        skipped: path → why, of the files that could not be used.
        seconds: it took.
        manifest: of the file.
    """

    path: Path
    digest: str
    threshold: Threshold
    images: int
    skipped: dict[str, UnreadableImage | DoesNotFit]
    seconds: float
    manifest: BundleManifest

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of what one should know: ``sample-too-small``, ``duplicates``, ``skipped``."""
        return self.manifest.warnings + (("skipped",) if self.skipped else ())


def train_images(
    paths: Sequence[Path],
    out: Path,
    settings: TrainingSettings | None = None,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> TrainingReport:
    """Train a model on images of good parts and write it to ``out``.

    The threshold comes from scores of each image by a model that was fitted without it; the final model is fitted on
    all images, so it tends to score good parts a little lower than those: the stated rate is on the safe side.

    Args:
        paths: image files of good parts, in any order; exact duplicates count once, unreadable ones and those far
            larger than the others are skipped and told in the report.
        out: the model file to write; its folder is made when missing.
        settings: the choices.
        on_progress: called from this thread.
        cancel: set it to stop.

    Raises:
        InvalidInput: ``too-few-images`` when fewer than five can be used.
        Unavailable: ``backbone-missing``; ``file-not-written`` or ``file-disk-full``, told before the work begins
            where it can be seen then.
        UnreadableImage: ``image-changed`` and the like when an image is changed or removed meanwhile.
        DoesNotFit: ``model-parity`` when the finished model scores otherwise than the training; nothing is written.
        TrainingCancelled: when ``cancel`` was set; nothing is written.
    """
    choice = settings or TrainingSettings()
    began = time.perf_counter()
    backbone = find_backbone(choice.backbone)
    require_writable(out)
    course = Course(_work(len(paths), len(paths), choice.folds), on_progress, cancel)
    material = look_at(paths, course, _READING)
    count = len(material.files)
    if count < LEAST_IMAGES:
        raise InvalidInput("too-few-images", count=count, least=LEAST_IMAGES)
    folds = min(choice.folds, count)
    course.total = _work(len(paths), count, folds)
    fitting = Fitting(backbone, material, course, bank_size=choice.bank_size, seed=choice.seed, threads=choice.threads)
    scores = fitting.held_out_scores(folds)
    threshold = choose_threshold(scores, choice.false_alarm_rate)
    core = fitting.fit_on(range(count))
    course.advance(count, "fit", 1, 1)
    graph, weights = serialise(anomaly_graph(fitting.extractor.graph, core.projection, core.offset, core.bank))
    manifest = _manifest(choice, backbone, material, fitting.scale, core, threshold, scores)
    parity = fitting.check_parity(core, unpack(pack(manifest, graph, weights), "model"))
    manifest = manifest.model_copy(update={"metrics": {**manifest.metrics, "parity": parity}})
    course.check()
    data = pack(manifest, graph, weights)
    make_folder(out.parent)
    write_atomically(out, data)
    final = unpack(data, out.name)
    course.advance(course.total, "export", 1, 1)
    return TrainingReport(
        out, final.digest, threshold, count, material.skipped, time.perf_counter() - began, final.manifest
    )


def _work(files: int, images: int, folds: int) -> float:
    """Return the work of a training: an image's features cost about what a fold's fit costs for each of its images."""
    return files * _READING + images * (2.0 + folds) + 2 * PARITY_IMAGES


def _manifest(
    choice: TrainingSettings,
    backbone: Backbone,
    material: Material,
    scale: float,
    core: PatchCore,
    threshold: Threshold,
    scores: Sequence[float],
) -> BundleManifest:
    """Return the manifest; digests of the members come with packing."""
    heights, widths = zip(*material.sizes, strict=True)
    warnings = []
    if threshold.sample_too_small:
        warnings.append("sample-too-small")
    if material.duplicates:
        warnings.append("duplicates")
    return BundleManifest(
        format_version=FORMAT_VERSION,
        kind="patchcore",
        name=choice.name,
        backbone=BackboneRecord(name=backbone.name, digest=backbone.digest),
        preprocessing=Preprocessing(
            scale=scale, median_height=int(np.median(heights)), median_width=int(np.median(widths))
        ),
        threshold=ThresholdRecord(
            value=threshold.value,
            false_alarm_rate=threshold.false_alarm_rate,
            method=threshold.method,
            sample=threshold.sample,
            least_sample=threshold.least_sample,
        ),
        scores=tuple(sorted(scores)),
        metrics={"bank_size": float(len(core.bank)), "bank_dimensions": float(core.bank.shape[1])},
        data=DataRecord(
            images=len(material.files),
            duplicates=material.duplicates,
            digest=material.digest,
        ),
        seed=choice.seed,
        warnings=tuple(warnings),
        versions={
            name: importlib.metadata.version(name)
            for name in ("imageflow-station", "numpy", "opencv-python", "openvino")
        },
        members={},
    )
