"""From measurements to a judgement, by criteria; a pure function of values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from models.results import Detection
from models.states import Verdict

ANOMALY_CLASS = "anomaly"
"""Class name of the regions an anomaly model marks; they are evidence, the score decides."""

# How fast the confidence leaves 0.5 with the ratio of score and threshold: 10 % beyond the threshold gives 0.68.
_STEEPNESS = 8.0
_BORDER = 0.5
_MOST_EXPONENT = 60.0


class Criteria(BaseModel):
    """What a part must fulfil to be OK."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Anomaly threshold; empty takes the model's own."
    )
    minimum_confidence: float = Field(
        default=0.25, ge=0, le=1, description="Detections less sure than this are ignored."
    )
    minimum_defect_area: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Detections and anomalous regions with a smaller box (square pixels of the image) are ignored.",
    )
    max_detections: dict[str, int] = Field(
        default_factory=dict, description="How many detections of a class a part may have and still be OK."
    )
    default_max_detections: int = Field(
        default=0, ge=0, description="The same for classes that are not listed; anomalous regions are not counted."
    )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the criteria say.

    Attributes:
        verdict: OK when no reason stands against it.
        confidence: how sure, 0.5 (on the border) to 1.
        reasons: ``anomaly-score`` and ``too-many:<class>``, in this order, classes by name.
        threshold: the one that was used; None without an anomaly score.
        detections: those that were not ignored.
    """

    verdict: Verdict
    confidence: float
    reasons: tuple[str, ...]
    threshold: float | None
    detections: tuple[Detection, ...]


def judge(
    *,
    score: float | None = None,
    threshold: float | None = None,
    detections: Sequence[Detection] = (),
    criteria: Criteria | None = None,
) -> Judgement:
    """Judge one image.

    A score strictly above the effective threshold speaks for NG, unless every region it marks is smaller than the
    least area that counts as a defect.

    Args:
        score: the anomaly score, if an anomaly model ran.
        threshold: the model's own threshold; the criteria's goes before it.
        detections: what detectors found and the regions an anomaly model marked (class ``anomaly``).
        criteria: the rule; the default one tolerates no detection.

    Raises:
        ValueError: when there is a score and no threshold at all, or the score is not a number.
    """
    rule = criteria or Criteria()
    kept = tuple(
        found
        for found in detections
        if found.confidence >= rule.minimum_confidence
        and found.bbox.width * found.bbox.height >= rule.minimum_defect_area
    )
    marked = [found for found in detections if found.class_name == ANOMALY_CLASS]
    reasons: list[str] = []
    sure: list[float] = []
    against: list[float] = []
    effective: float | None = None
    if score is not None:
        effective = rule.threshold if rule.threshold is not None else threshold
        if effective is None or math.isnan(score):
            raise ValueError("an anomaly score needs to be a number and to have a threshold")
        too_small = bool(marked) and all(
            found.bbox.width * found.bbox.height < rule.minimum_defect_area for found in marked
        )
        certainty = border_distance(score, effective)
        if score > effective and not too_small:
            reasons.append("anomaly-score")
            against.append(certainty)
        else:
            sure.append(_BORDER if score > effective else certainty)
    counts = Counter(found.class_name for found in kept)
    for name in sorted(counts):
        allowed = rule.max_detections.get(name)
        if allowed is None:
            if name == ANOMALY_CLASS:
                continue
            allowed = rule.default_max_detections
        if counts[name] > allowed:
            reasons.append(f"too-many:{name}")
            ordered = sorted((found.confidence for found in kept if found.class_name == name), reverse=True)
            against.append(max(_BORDER, ordered[allowed]))
    if reasons:
        return Judgement(Verdict.NG, max(against), tuple(reasons), effective, kept)
    return Judgement(Verdict.OK, min(sure, default=1.0), (), effective, kept)


def border_distance(score: float, threshold: float) -> float:
    """Return how sure a score is on its side of the threshold: 0.5 on it, towards 1 away from it.

    A logistic curve over the logarithm of the ratio, so that twice and half the threshold are equally sure.
    """
    if score <= 0 or threshold <= 0:
        return 1.0 if score < threshold else _BORDER
    exponent = _STEEPNESS * abs(math.log(score / threshold))
    return 1.0 / (1.0 + math.exp(-min(exponent, _MOST_EXPONENT)))
