"""Training a model from good images alone."""

from __future__ import annotations

import hashlib
import importlib.metadata
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inspection.anomaly.backbone import DEFAULT_BACKBONE, Backbone, find_backbone, serialise
from inspection.anomaly.bundle import pack, unpack
from inspection.anomaly.features import FeatureExtractor, FloatArray
from inspection.anomaly.manifest import (
    FORMAT_VERSION,
    BackboneRecord,
    BundleManifest,
    DataRecord,
    Preprocessing,
    ThresholdRecord,
)
from inspection.anomaly.model import AnomalyModel
from inspection.anomaly.networks import anomaly_graph
from inspection.anomaly.patchcore import PatchCore, fit
from inspection.anomaly.preparation import Prepared, choose_scale, prepare
from inspection.anomaly.threshold import Threshold, choose_threshold
from inspection.files import write_atomically
from inspection.frames import Pixels
from inspection.images import decode_image, read_image_bytes
from models.errors import DoesNotFit, ImageFlowError, InvalidInput, UnreadableImage

LEAST_IMAGES = 5
PARITY_LIMIT = 1e-3
_PARITY_IMAGES = 16
# Features that are kept in memory (1 GB as float32); those of further images are computed again when needed.
_MOST_KEPT = 256_000_000
# Patches a fit looks at; more add time and no knowledge, as the bank is far smaller.
_MOST_PATCHES = 200_000


class TrainingCancelled(ImageFlowError):
    """The training was cancelled by whoever asked for it; no error of anybody, and no file was written."""


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

    name: str = Field(default="", max_length=200)
    backbone: str = DEFAULT_BACKBONE
    bank_size: int = Field(default=5000, ge=100, le=50_000)
    false_alarm_rate: float = Field(default=0.05, gt=0, lt=0.5)
    folds: int = Field(default=10, ge=2, le=20)
    seed: int = Field(default=0, ge=0, lt=2**63)
    threads: int = Field(default=0, ge=0, le=256)


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where a training stands.

    Attributes:
        stage: ``features``, ``threshold``, ``fit`` or ``export``.
        done: images or folds of the stage that are done.
        total: of how many.
        fraction: of the whole training, 0 to 1.
        seconds_left: estimate; None at the very beginning.
    """

    stage: str
    done: int
    total: int
    fraction: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training gave.

    Attributes:
        path: the model file.
        digest: its SHA-256.
        threshold: chosen from good images that were held out.
        images: used, without exact duplicates.
        skipped: name → message of the files that could not be used.
        seconds: it took.
        manifest: of the file.
    """

    path: Path
    digest: str
    threshold: Threshold
    images: int
    skipped: dict[str, str]
    seconds: float
    manifest: BundleManifest

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of what one should know: ``sample-too-small``, ``duplicates``, ``skipped``."""
        return self.manifest.warnings + (("skipped",) if self.skipped else ())


OnProgress = Callable[[TrainingProgress], None]


@dataclass(slots=True)
class _Course:
    """Progress and cancellation; work is counted in images looked at."""

    total: float
    on_progress: OnProgress | None
    cancel: threading.Event | None
    began: float = field(default_factory=time.perf_counter)
    done: float = 0.0

    def check(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise TrainingCancelled

    def advance(self, work: float, stage: str, done: int, total: int) -> None:
        self.check()
        self.done += work
        if self.on_progress is None:
            return
        fraction = min(self.done / self.total, 1.0)
        elapsed = time.perf_counter() - self.began
        left = elapsed / fraction * (1 - fraction) if fraction > 0 else None
        self.on_progress(TrainingProgress(stage, done, total, fraction, left))


@dataclass(frozen=True, slots=True)
class _Material:
    """The images of a training in the order of their content, so that names and places do not matter."""

    files: tuple[tuple[Path, str], ...]
    sizes: tuple[tuple[int, int], ...]
    duplicates: int
    skipped: dict[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256("".join(digest for _, digest in self.files).encode()).hexdigest()

    def pixels(self, index: int) -> Pixels:
        path, digest = self.files[index]
        data = read_image_bytes(path)
        if hashlib.sha256(data).hexdigest() != digest:
            raise UnreadableImage("image-changed", name=path.name)
        return decode_image(data, name=path.name)


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
        paths: image files of good parts, in any order; exact duplicates count once, unreadable ones are skipped and
            told in the report.
        out: the model file to write; its folder is made when missing.
        settings: the choices.
        on_progress: called from this thread.
        cancel: set it to stop.

    Raises:
        InvalidInput: ``too-few-images`` when fewer than five can be used.
        Unavailable: ``backbone-missing``, ``file-disk-full``, ``file-not-written``.
        DoesNotFit: ``model-parity`` when the finished model scores otherwise than the training; nothing is written.
        TrainingCancelled: when ``cancel`` was set; nothing is written.
    """
    choice = settings or TrainingSettings()
    began = time.perf_counter()
    backbone = find_backbone(choice.backbone)
    material = _look_at(paths, cancel)
    count = len(material.files)
    if count < LEAST_IMAGES:
        raise InvalidInput("too-few-images", count=count, least=LEAST_IMAGES)
    folds = min(choice.folds, count)
    # An image costs about as much to read and compute as a fold's fit costs for each of its images.
    course = _Course(count * (2.0 + folds) + 2 * _PARITY_IMAGES, on_progress, cancel)
    run = _Training(choice, backbone, material, course)
    scores = run.held_out_scores(folds)
    threshold = choose_threshold(scores, choice.false_alarm_rate)
    core = run.fit_on(range(count))
    course.advance(count, "fit", 1, 1)
    graph, weights = serialise(anomaly_graph(run.extractor.graph, core.projection, core.offset, core.bank))
    manifest = run.manifest(core, threshold, scores)
    parity = run.check_parity(core, manifest, graph, weights)
    manifest = manifest.model_copy(update={"metrics": {**manifest.metrics, "parity": parity}})
    course.check()
    data = pack(manifest, graph, weights)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, data)
    final = unpack(data, out.name)
    course.advance(course.total, "export", 1, 1)
    return TrainingReport(
        out, final.digest, threshold, count, material.skipped, time.perf_counter() - began, final.manifest
    )


class _Training:
    """One training: features of the images, and fits on some of them."""

    def __init__(self, choice: TrainingSettings, backbone: Backbone, material: _Material, course: _Course) -> None:
        self.choice = choice
        self.backbone = backbone
        self.material = material
        self.course = course
        self.scale = choose_scale(material.sizes)
        self.extractor = FeatureExtractor(backbone, choice.threads)
        self._kept: dict[int, FloatArray] = {}
        self._samples: list[FloatArray] = []
        self._extract()

    def held_out_scores(self, folds: int) -> list[float]:
        """Score every image by a model that was fitted on the other folds."""
        count = len(self.material.files)
        fold_of = np.random.default_rng(self.choice.seed).permutation(count) % folds
        scores = [0.0] * count
        for fold in range(folds):
            core = self.fit_on(np.flatnonzero(fold_of != fold).tolist())
            for index in np.flatnonzero(fold_of == fold).tolist():
                self.course.check()
                scores[index] = score_features(core, self._features(index), self._prepared(index))
            self.course.advance(count, "threshold", fold + 1, folds)
        return scores

    def fit_on(self, indices: Sequence[int] | range) -> PatchCore:
        """Fit on the patches of these images."""
        patches = np.concatenate([self._samples[index] for index in indices])
        return fit(patches, self.choice.bank_size, self.choice.seed, self.course.check)

    def manifest(self, core: PatchCore, threshold: Threshold, scores: Sequence[float]) -> BundleManifest:
        """Return the manifest; digests of the members come with packing."""
        heights, widths = zip(*self.material.sizes, strict=True)
        warnings = []
        if threshold.sample_too_small:
            warnings.append("sample-too-small")
        if self.material.duplicates:
            warnings.append("duplicates")
        return BundleManifest(
            format_version=FORMAT_VERSION,
            kind="patchcore",
            name=self.choice.name,
            backbone=BackboneRecord(name=self.backbone.name, digest=self.backbone.digest),
            preprocessing=Preprocessing(
                scale=self.scale, median_height=int(np.median(heights)), median_width=int(np.median(widths))
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
                images=len(self.material.files),
                duplicates=self.material.duplicates,
                digest=self.material.digest,
            ),
            seed=self.choice.seed,
            warnings=tuple(warnings),
            versions={
                name: importlib.metadata.version(name)
                for name in ("imageflow-station", "numpy", "opencv-python", "openvino")
            },
            members={},
        )

    def check_parity(self, core: PatchCore, manifest: BundleManifest, graph: bytes, weights: bytes) -> float:
        """Score images by the finished file and by what the training computed; return the largest relative difference.

        Mirrored training images are used: the bank holds patches of the images themselves, whose distance is nought
        but for rounding, and says nothing.

        Raises:
            DoesNotFit: ``model-parity`` when it is above 1e-3 or a verdict flips.
        """
        finished = AnomalyModel(unpack(pack(manifest, graph, weights), "model"), "model", self.choice.threads or None)
        worst, flips = 0.0, 0
        count = min(_PARITY_IMAGES, len(self.material.files))
        for done, index in enumerate(np.linspace(0, len(self.material.files) - 1, count).astype(int).tolist()):
            mirrored = np.ascontiguousarray(self.material.pixels(index)[::-1, ::-1])
            prepared = prepare(mirrored, self.scale)
            expected = score_features(core, self.extractor.grid(prepared), prepared)
            found = finished.score(mirrored).score
            worst = max(worst, abs(found - expected) / max(abs(expected), 1e-6))
            flips += (found > finished.threshold) != (expected > finished.threshold)
            self.course.advance(1, "export", done + 1, count)
        if worst > PARITY_LIMIT or flips:
            raise DoesNotFit("model-parity", difference=f"{worst:.2e}", limit=f"{PARITY_LIMIT:.0e}", flips=flips)
        return worst

    def _extract(self) -> None:
        count = len(self.material.files)
        share = max(1, _MOST_PATCHES // count)
        generator = np.random.default_rng(self.choice.seed)
        held = 0
        for index in range(count):
            grid = self.extractor.grid(self._prepared(index))
            patches = grid.reshape(-1, grid.shape[-1])
            if held + patches.size <= _MOST_KEPT:
                self._kept[index] = grid
                held += patches.size
            if len(patches) > share:
                patches = patches[np.sort(generator.choice(len(patches), share, replace=False))]
            self._samples.append(patches)
            self.course.advance(1, "features", index + 1, count)

    def _features(self, index: int) -> FloatArray:
        kept = self._kept.get(index)
        return self.extractor.grid(self._prepared(index)) if kept is None else kept

    def _prepared(self, index: int) -> Prepared:
        return prepare(self.material.pixels(index), self.scale)


def score_features(core: PatchCore, grid: FloatArray, prepared: Prepared) -> float:
    """Return the score of an image from its features ``(h, w, D)``: the highest value of its map."""
    found = core.map(grid.reshape(-1, grid.shape[-1]), (grid.shape[0], grid.shape[1]))
    return float(found[prepared.cells()].max())


def _look_at(paths: Sequence[Path], cancel: threading.Event | None) -> _Material:
    found: dict[str, tuple[Path, tuple[int, int]]] = {}
    skipped: dict[str, str] = {}
    duplicates = 0
    for path in paths:
        if cancel is not None and cancel.is_set():
            raise TrainingCancelled
        try:
            data = read_image_bytes(path)
            digest = hashlib.sha256(data).hexdigest()
            if digest in found:
                duplicates += 1
                continue
            height, width = decode_image(data, name=path.name).shape[:2]
        except UnreadableImage as error:
            skipped[path.name] = str(error)
            continue
        found[digest] = (path, (height, width))
    ordered = sorted(found.items())
    return _Material(
        files=tuple((path, digest) for digest, (path, _) in ordered),
        sizes=tuple(size for _, (_, size) in ordered),
        duplicates=duplicates,
        skipped=skipped,
    )
