"""Training of an anomaly model from good images; images of defects, if any, only set the threshold."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.bundle import pack, unpack
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import FinerDetail, finer_detail, network_area
from inspection.anomaly.manifest import BundleManifest, Preprocessing
from inspection.anomaly.methods.registry import Method, find_method
from inspection.anomaly.preprocessing import NO_PREPROCESSING, ImagePreprocessor
from inspection.anomaly.threshold.estimate import Threshold
from inspection.anomaly.threshold.lifting import lifting_level
from inspection.anomaly.training.defects import read_defects, score_defects
from inspection.anomaly.training.drawn_scores import MOST_DRAWN, DrawnScores
from inspection.anomaly.training.fitting import FeatureStore, held_out_scores
from inspection.anomaly.training.manifest_builder import build_manifest, build_preprocessing
from inspection.anomaly.training.near_duplicates import held_out_groups, near_duplicate_groups
from inspection.anomaly.training.parity_check import PARITY_IMAGES, check_parity, probe_scores
from inspection.anomaly.training.progress import OnProgress, ProgressTracker, TrainingProgress
from inspection.anomaly.training.rotation import RotationWork, chosen_rotation, rotation_work
from inspection.anomaly.training.settings import TrainingSettings
from inspection.anomaly.training.size_groups import SizeGroup
from inspection.anomaly.training.training_set import (
    MIN_IMAGES,
    TrainingSet,
    require_one_size,
    scan_images,
    without_oversized,
)
from inspection.anomaly.training.turned_copies import turned_or_upright
from inspection.imaging.reading import Reading
from inspection.imaging.set_range import SetRange, range_of_set
from inspection.imaging.value_range import ValueRange
from inspection.runtime.cancellation import TrainingCancelled
from inspection.runtime.graphs import serialise
from models.errors import DoesNotFit, InvalidInput, UnreadableImage
from models.messages import LocalText
from models.storage import make_folder, require_writable, write_atomically

__all__ = ["TrainingCancelled", "TrainingProgress", "TrainingReport", "TrainingSettings", "train_images"]

# Scores below are zero up to rounding.
_MIN_THRESHOLD = 1e-6
# Work units of reading an image; extracting its features is one unit.
_READING = 0.5


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The result of a training.

    Attributes:
        path: the model file.
        digest: SHA-256 of the model file.
        threshold: from cross-validated scores of good images, and from the scores of defects if given.
        images: number of good images used, without exact duplicates.
        skipped: path → error of each unusable file.
        seconds: duration.
        manifest: of the model file.
        set_range: of the images deeper than 8 bits; None when there are none.
        transparent: number of images with transparent parts, which are seen on white.
        size_groups: the good images by size where they have two very different ones; else empty.
        finer: the next detail that shows the images clearly larger; None when none does, or the side was given by
            number.
        held_out: the good images with their cross-validated scores, highest first.
    """

    path: Path
    digest: str
    threshold: Threshold
    images: int
    skipped: dict[str, UnreadableImage | DoesNotFit]
    seconds: float
    manifest: BundleManifest
    set_range: SetRange | None = None
    transparent: int = 0
    size_groups: tuple[SizeGroup, ...] = ()
    finer: FinerDetail | None = None
    held_out: tuple[tuple[Path, float], ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warning codes of the manifest (``manifest_builder``), and ``skipped``."""
        return self.manifest.warnings + (("skipped",) if self.skipped else ())

    @property
    def lifting(self) -> tuple[Path, ...]:
        """The good images that lift the threshold, highest score first; empty without ``threshold-lifted``."""
        level = lifting_level([score for _, score in self.held_out], self.threshold.value)
        if level is None or "threshold-lifted" not in self.warnings:
            return ()
        return tuple(path for path, score in self.held_out if score > level)


def train_images(
    paths: Sequence[Path],
    out: Path,
    settings: TrainingSettings | None = None,
    *,
    defects: Sequence[Path] = (),
    preprocessor: ImagePreprocessor = NO_PREPROCESSING,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> TrainingReport:
    """Train a model on images of good parts and write it to ``out``.

    The threshold comes from cross-validated scores; the final model is fitted on all images. Images of defects are
    scored by the final model; nothing is fitted on them.

    Args:
        paths: image files of good parts, in any order; exact duplicates are used once; files that are unreadable,
            rejected by ``preprocessor`` or far larger than the others are skipped and listed in the report.
        out: the model file to write; its folder is created when missing.
        settings: of the training; None takes the defaults.
        defects: image files of defects, which the policies ``f1`` and ``cost`` need.
        preprocessor: applied to each image before scoring, such as the preprocessing prefix of a pipeline step; none by
            default. Masked pixels do not contribute to scores.
        on_progress: called from this thread.
        cancel: event that stops the training.

    Raises:
        InvalidInput: ``too-few-images`` when fewer than five can be used, ``too-few-images-left`` when that is because
            images were skipped, ``anomaly-method-unknown``, ``threshold-needs-defects``, ``image-good-and-defect``,
            ``images-all-alike`` when nearly all images are identical, so that any other image would be rejected,
            ``images-depths-differ`` when files declare different ranges of values.
        Unavailable: ``backbone-missing``; ``file-not-written`` or ``file-disk-full``, before the training starts where
            that is detectable.
        UnreadableImage: ``image-changed`` and the like when an image was changed or removed in the meantime.
        DoesNotFit: ``images-not-aligned`` when the method needs images of one size, ``detail-needs-tiles`` when it
            cannot work at this detail; ``model-parity`` when scores of the finished model differ from those of the
            training; nothing is written then.
        TrainingCancelled: when ``cancel`` was set; nothing is written.
    """
    settings = settings or TrainingSettings()
    began = time.perf_counter()
    configuration = settings.overruled(Configuration())
    method = find_method(settings.method, settings.method_settings(configuration))
    policy = settings.policy
    if policy.needs_defects and not defects:
        raise InvalidInput("threshold-needs-defects", method=policy.name)
    backbone = find_backbone(configuration.backbone)
    require_writable(out)
    turning = rotation_work(settings.rotation, method, len(paths))
    work = _work(len(paths), len(paths), settings.folds, len(defects), turning)
    tracker = ProgressTracker(work, on_progress, cancel)
    given = None if settings.value_range is None else ValueRange(*settings.value_range)
    set_range = range_of_set([*paths, *defects], given)
    reading = Reading(given if set_range is None else set_range.values, settings.pages)
    training_set = scan_images(paths, tracker, _READING, preprocessor, reading)
    _require_enough(training_set)
    configuration = settings.seeing(configuration, training_set.given_sizes)
    preprocessing, training_set = _seen(training_set, configuration, method)
    count = len(training_set.files)
    defect_set = read_defects(defects, training_set, tracker, _READING) if defects else None
    folds = min(settings.folds, count)
    turning = rotation_work(settings.rotation, method, count)
    tracker.total = _work(len(paths), count, folds, len(defects), turning)
    store = FeatureStore(
        backbone,
        training_set,
        preprocessing,
        tracker,
        seed=settings.seed,
        threads=settings.threads,
        described=settings.grouping == "similar",
    )
    rotation = chosen_rotation(settings.rotation, method, store, training_set, settings.seed, tracker)
    source = turned_or_upright(rotation.rotations, store, training_set, settings.seed, tracker)
    tracker.total -= turning.copies if rotation.rotations == 1 else 0.0
    drawn = DrawnScores(store, training_set, settings.seed, tracker)
    groups, held_out = _groups(store, count, configuration, settings, tracker)
    scores = held_out_scores(method, store, range(count), held_out, folds, settings.seed, tracker, source, drawn.add)
    fitted = method.fit(source, range(count), tracker.check)
    tracker.advance(count, "fit", 1, 1)
    defect_scores, rejected = score_defects(store, fitted, preprocessing, defect_set, tracker)
    threshold = policy.choose(scores, defect_scores, held_out.tolist())
    if threshold.value < _MIN_THRESHOLD:
        raise InvalidInput("images-all-alike", count=count)
    graph, weights = serialise(fitted.graph(store.extractor.graph, smoothed=preprocessing.tile == 0))
    manifest = build_manifest(
        settings,
        configuration,
        rotation,
        backbone,
        preprocessing,
        fitted,
        threshold,
        training_set=training_set,
        scores=scores,
        groups=groups,
        probes=probe_scores(store, fitted, preprocessing.median_height, preprocessing.median_width),
        defects=defect_set,
        defect_scores=defect_scores,
        drawn_scores=drawn.scores,
    )
    parity = check_parity(
        store, fitted, unpack(pack(manifest, graph, weights), "model"), training_set, tracker, settings.threads
    )  # fmt: skip
    manifest = manifest.model_copy(update={"metrics": {**manifest.metrics, "parity": parity}})
    tracker.check()
    data = pack(manifest, graph, weights)
    make_folder(out.parent)
    write_atomically(out, data)
    final = unpack(data, out.name)
    tracker.advance(tracker.total, "writing", 1, 1)
    skipped = {**training_set.skipped, **(defect_set.skipped if defect_set else {}), **rejected}
    transparent = training_set.transparent + (defect_set.transparent if defect_set else 0)
    return TrainingReport(
        out,
        final.digest,
        threshold,
        count,
        skipped,
        time.perf_counter() - began,
        final.manifest,
        set_range,
        transparent,
        training_set.size_groups,
        None if settings.side is not None else _finer(training_set, configuration, method),
        _highest_first(training_set, scores),
    )


def _seen(training_set: TrainingSet, configuration: Configuration, method: Method) -> tuple[Preprocessing, TrainingSet]:
    """Return the preprocessing of the images, and those that fit it."""
    area = network_area(training_set.sizes, configuration.side, aligned=method.aligned)
    if method.aligned:
        require_one_size(training_set, area.scale)
    preprocessing = build_preprocessing(training_set, area, aligned=method.aligned)
    fitting = without_oversized(training_set, preprocessing)
    _require_enough(fitting)
    return preprocessing, fitting


def _finer(training_set: TrainingSet, configuration: Configuration, method: Method) -> FinerDetail | None:
    sizes, given = training_set.sizes, training_set.given_sizes
    return finer_detail(configuration.side, sizes, given, aligned=method.aligned)


def _highest_first(training_set: TrainingSet, scores: Sequence[float]) -> tuple[tuple[Path, float], ...]:
    scored = zip((path for path, _ in training_set.files), scores, strict=True)
    return tuple(sorted(scored, key=lambda image: (-image[1], image[0])))


def _groups(
    store: FeatureStore, count: int, configuration: Configuration, settings: TrainingSettings, tracker: ProgressTracker
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the groups of near-duplicate images, and those that are held out as a whole."""
    groups = np.arange(count, dtype=np.int64)
    if settings.grouping == "similar":
        groups = near_duplicate_groups(store, groups, configuration.whitening, tracker.check)
    return groups, held_out_groups(groups)


def require_enough_files(paths: Sequence[Path]) -> None:
    """Check, before any image is read, that there are as many files as a training needs at least.

    Raises:
        InvalidInput: ``too-few-images``.
    """
    if len(paths) < MIN_IMAGES:
        raise InvalidInput("too-few-images", count=len(paths), least=MIN_IMAGES)


def _require_enough(training_set: TrainingSet) -> None:
    count = len(training_set.files)
    if count >= MIN_IMAGES:
        return
    if not training_set.skipped:
        raise InvalidInput("too-few-images", count=count, least=MIN_IMAGES)
    path, error = next(iter(training_set.skipped.items()))
    raise InvalidInput(
        "too-few-images-left",
        count=count,
        least=MIN_IMAGES,
        skipped=len(training_set.skipped),
        name=Path(path).name,
        reason=LocalText.of(error.code, error.values),
    )


def _work(files: int, images: int, folds: int, defects: int, turning: RotationWork) -> float:
    """Return the work units of a training: feature extraction and a fold's fit both cost about one unit per image."""
    copies = turning.comparison + turning.copies
    drawn = min(images, MOST_DRAWN)
    return files * _READING + images * (2.0 + folds) + drawn + copies + defects * (1.0 + _READING) + 2 * PARITY_IMAGES
