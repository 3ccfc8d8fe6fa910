"""The manifest of a trained model."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.backbone.files import Backbone
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import NetworkArea
from inspection.anomaly.manifest import (
    BackboneRecord,
    BundleManifest,
    DataRecord,
    Preprocessing,
    RotationRecord,
    ThresholdRecord,
    format_of,
)
from inspection.anomaly.methods.registry import FittedModel
from inspection.anomaly.preparation import SMOOTHING
from inspection.anomaly.threshold.estimate import Threshold, least_sample
from inspection.anomaly.threshold.lifting import lifting_level
from inspection.anomaly.threshold.separation import separation
from inspection.anomaly.training.near_duplicates import group_count, held_out_groups
from inspection.anomaly.training.settings import TrainingSettings
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.value_range import ValueRange

_LIBRARIES = ("imageflow-station", "numpy", "opencv-python", "openvino")


def build_preprocessing(training_set: TrainingSet, area: NetworkArea, *, aligned: bool) -> Preprocessing:
    """Return the preprocessing of a model trained on ``training_set``, whose images are seen as ``area``."""
    heights, widths = zip(*training_set.sizes, strict=True)
    return Preprocessing(
        scale=area.scale,
        median_height=int(np.median(heights)),
        median_width=int(np.median(widths)),
        aligned=aligned,
        smoothing=SMOOTHING,
        tile=area.tile,
    )


def threshold_record(threshold: Threshold) -> ThresholdRecord:
    """Return a threshold as stored in a model file."""
    return ThresholdRecord(
        value=threshold.value,
        false_alarm_rate=threshold.false_alarm_rate,
        method=threshold.method,
        sample=threshold.sample,
        least_sample=threshold.least_sample,
        defects=threshold.defects,
    )


def build_manifest(
    settings: TrainingSettings,
    configuration: Configuration,
    rotation: RotationRecord,
    backbone: Backbone,
    preprocessing: Preprocessing,
    fitted: FittedModel,
    threshold: Threshold,
    *,
    training_set: TrainingSet,
    scores: Sequence[float],
    groups: NDArray[np.int64],
    probes: Sequence[float],
    defects: TrainingSet | None,
    defect_scores: Sequence[float],
    drawn_scores: Sequence[float],
) -> BundleManifest:
    """Return the manifest; packing adds the digests of the members.

    Args:
        settings: of the training.
        configuration: of the model.
        rotation: of good parts.
        backbone: network that computes the features.
        preprocessing: of images.
        fitted: the fitted model.
        threshold: of the model.
        training_set: good images.
        scores: cross-validated scores of the good images.
        groups: of near-duplicate good images.
        probes: scores of the probe images, as the training computes them.
        defects: images of defects; None without any.
        defect_scores: of the defects that could be scored.
        drawn_scores: of the defects drawn on held-out good images.
    """
    warnings = {
        "sample-too-small": threshold.sample_too_small,
        "few-groups": has_few_groups(groups, None if settings.policy.needs_defects else settings.false_alarm_rate),
        "threshold-lifted": not settings.policy.needs_defects and lifting_level(scores, threshold.value) is not None,
        "duplicates": training_set.duplicates or (defects is not None and defects.duplicates),
        "two-sizes": bool(training_set.size_groups),
    }
    parts = group_count(groups)
    held_out = held_out_groups(groups)
    ordered = sorted(zip(scores, held_out.tolist(), strict=True))
    return BundleManifest(
        format_version=format_of(training_set.value_range, preprocessing.tile),
        kind=settings.method,
        name=settings.name,
        backbone=BackboneRecord(name=backbone.name, digest=backbone.digest),
        configuration=configuration,
        rotation=rotation,
        preprocessing=preprocessing,
        threshold=threshold_record(threshold),
        scores=tuple(score for score, _ in ordered),
        score_groups=tuple(group for _, group in ordered) if group_count(held_out) < len(scores) else (),
        defect_scores=tuple(sorted(defect_scores)),
        separation=separation(scores, defect_scores, threshold.value, "given")
        if defect_scores
        else separation(scores, drawn_scores, threshold.value, "drawn"),
        probes=tuple(probes),
        metrics=fitted.metrics(),
        data=DataRecord(
            images=len(training_set.files),
            duplicates=training_set.duplicates,
            groups=parts,
            digest=training_set.digest,
            defects=len(defect_scores),
            defects_digest=defects.digest if defects is not None else "",
        ),
        preprocessing_record=training_set.preprocessor.record,
        value_range=_as_pair(training_set.value_range),
        seed=settings.seed,
        warnings=tuple(code for code, applies in warnings.items() if applies),
        versions=library_versions(),
        members={},
    )


def has_few_groups(groups: NDArray[np.int64], false_alarm_rate: float | None) -> bool:
    """Return whether near duplicates leave too few groups for a stated rate, or half as many as images or fewer.

    Args:
        groups: of near-duplicate images, numbered from 0.
        false_alarm_rate: the stated rate; None for a policy that has none.
    """
    count = group_count(groups)
    least = 0 if false_alarm_rate is None else least_sample(false_alarm_rate)
    return count < len(groups) and (count < least or 2 * count <= len(groups))


def _as_pair(found: ValueRange | None) -> tuple[float, float] | None:
    return None if found is None else (found.low, found.high)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that compute a model's scores."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}
