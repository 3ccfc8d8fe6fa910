"""The judgement of findings by criteria; a pure function."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inspection.judging.codes import counts, is_of_format
from inspection.judging.criteria import CodeRule, Criteria, Limits
from models.results import CodeReading, ColourDifference, Detection, Measurement
from models.states import Verdict

__all__ = ["ANOMALY_CLASS", "Criteria", "Judgement", "judge", "verdict_confidence"]

ANOMALY_CLASS = "anomaly"
"""Class name of the regions that an anomaly model marks; they are shown, the score decides."""

# Steepness of the confidence over the ratio of score and threshold: 10 % beyond the threshold gives 0.68.
_STEEPNESS = 8.0
_BORDER = 0.5
_MOST_EXPONENT = 60.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of one image.

    Attributes:
        verdict: NG when there is a reason, else OK.
        confidence: of the verdict, 0.5 (on the decision boundary) to 1.
        reasons: for NG, in this order, names in alphabetical order: ``anomaly-score``, ``too-many:<class>``,
            ``measurement-missing:<name>``, ``measurement-low:<name>`` and ``measurement-high:<name>``,
            ``code-none`` (no code was read, and the criteria name none), ``code-missing:<name>``,
            ``code-wrong:<name>`` (codes of the format were read, too few with the text) and
            ``code-too-many:<name>``, ``colour-missing:<name>`` and ``colour-difference:<name>``.
        threshold: the one that applies; None without an anomaly score.
        detections: those that the criteria do not ignore.
    """

    verdict: Verdict
    confidence: float
    reasons: tuple[str, ...]
    threshold: float | None
    detections: tuple[Detection, ...]


@dataclass(slots=True)
class _Evidence:
    """Reasons for NG with their confidences, and the confidences of the checks that passed."""

    reasons: list[str] = field(default_factory=list)
    against: list[float] = field(default_factory=list)
    passed: list[float] = field(default_factory=list)

    def reject(self, reason: str, confidence: float) -> None:
        self.reasons.append(reason)
        self.against.append(confidence)


def judge(
    *,
    score: float | None = None,
    threshold: float | None = None,
    detections: Sequence[Detection] = (),
    measurements: Sequence[Measurement] = (),
    codes: Sequence[CodeReading] | None = None,
    colours: Sequence[ColourDifference] = (),
    criteria: Criteria | None = None,
) -> Judgement:
    """Return the judgement of one image.

    A score strictly above the threshold that applies means NG, unless every region it marks is smaller than the minimum
    defect area. Measurements, codes and colours are judged where the criteria name them. Where
    codes were looked for and the criteria name none, at least one must have been read.

    Args:
        score: the anomaly score, if an anomaly model ran.
        threshold: the model's own threshold; the criteria's takes precedence.
        detections: what detectors found and the regions an anomaly model marked (class ``anomaly``).
        measurements: what was measured.
        codes: the codes that were read; None where none were looked for.
        colours: the colours that were compared.
        criteria: the criteria; the default ones tolerate no detection.

    Raises:
        ValueError: when there is a score but no threshold, or the score is NaN.
    """
    rule = criteria or Criteria()
    kept = tuple(
        found
        for found in detections
        if (rule.minimum_confidence is None or found.confidence >= rule.minimum_confidence)
        and found.bbox.width * found.bbox.height >= rule.minimum_defect_area
    )
    evidence = _Evidence()
    applied = _judge_score(score, threshold, detections, rule, evidence)
    _judge_counts(kept, rule, evidence)
    _judge_measurements(measurements, rule, evidence)
    if codes is not None and not codes and not rule.codes:
        evidence.reject("code-none", 1.0)
    for name in sorted(rule.codes):
        _judge_code(name, rule.codes[name], codes or (), evidence)
    _judge_colours(colours, rule, evidence)
    if evidence.reasons:
        return Judgement(Verdict.NG, max(evidence.against), tuple(evidence.reasons), applied, kept)
    return Judgement(Verdict.OK, min(evidence.passed, default=1.0), (), applied, kept)


def _judge_score(
    score: float | None, threshold: float | None, detections: Sequence[Detection], rule: Criteria, evidence: _Evidence
) -> float | None:
    """Judge the anomaly score; return the threshold that applies."""
    if score is None:
        return None
    applied = rule.threshold if rule.threshold is not None else threshold
    if applied is None or math.isnan(score):
        raise ValueError("an anomaly score needs to be a number and to have a threshold")
    marked = [found for found in detections if found.class_name == ANOMALY_CLASS]
    too_small = bool(marked) and all(
        found.bbox.width * found.bbox.height < rule.minimum_defect_area for found in marked
    )
    confidence = verdict_confidence(score, applied)
    if score > applied and not too_small:
        evidence.reject("anomaly-score", confidence)
    else:
        evidence.passed.append(_BORDER if score > applied else confidence)
    return applied


def _judge_counts(kept: Sequence[Detection], rule: Criteria, evidence: _Evidence) -> None:
    counts = Counter(found.class_name for found in kept)
    for name in sorted(counts):
        allowed = rule.max_detections.get(name)
        if allowed is None:
            if name == ANOMALY_CLASS:
                continue
            allowed = rule.default_max_detections
        if counts[name] > allowed:
            ordered = sorted((found.confidence for found in kept if found.class_name == name), reverse=True)
            evidence.reject(f"too-many:{name}", max(_BORDER, ordered[allowed]))


def _judge_measurements(measurements: Sequence[Measurement], rule: Criteria, evidence: _Evidence) -> None:
    for name in sorted(rule.measurements):
        limits = rule.measurements[name]
        values = [found.value for found in measurements if found.name == name]
        good = [value for value in values if value is not None]
        if not values or len(good) < len(values):
            evidence.reject(f"measurement-missing:{name}", 1.0)
        for way, beyond in (
            ("low", [value for value in good if limits.lower is not None and value < limits.lower]),
            ("high", [value for value in good if limits.upper is not None and value > limits.upper]),
        ):
            if beyond:
                evidence.reject(f"measurement-{way}:{name}", max(_within(value, limits) for value in beyond))
        evidence.passed.extend(_within(value, limits) for value in good)


def _within(value: float, limits: Limits) -> float:
    """Return the confidence that a value is on its side of its limits, 0.5 on one of them."""
    if limits.lower is not None and limits.upper is not None:
        half = (limits.upper - limits.lower) / 2
        distance = abs(value - (limits.lower + limits.upper) / 2)
        return verdict_confidence(distance, half) if half > 0 else 1.0
    limit = limits.lower if limits.lower is not None else limits.upper
    return verdict_confidence(abs(value), abs(limit)) if limit and value * limit > 0 else 1.0


def _judge_code(name: str, rule: CodeRule, codes: Sequence[CodeReading], evidence: _Evidence) -> None:
    of_format = [code for code in codes if is_of_format(rule, code)]
    fitting = sum(counts(rule, code) for code in of_format)
    if fitting < rule.least:
        evidence.reject(f"code-wrong:{name}" if len(of_format) > fitting else f"code-missing:{name}", 1.0)
    elif rule.most is not None and fitting > rule.most:
        evidence.reject(f"code-too-many:{name}", 1.0)


def _judge_colours(colours: Sequence[ColourDifference], rule: Criteria, evidence: _Evidence) -> None:
    for name in sorted(rule.colours):
        limits = rule.colours[name]
        found = [colour for colour in colours if colour.name == name]
        if not found or any(colour.mean is None for colour in found):
            evidence.reject(f"colour-missing:{name}", 1.0)
        pairs = [(colour.mean, limits.mean) for colour in found] + [
            (colour.maximum, limits.maximum) for colour in found
        ]
        known = [(value, limit) for value, limit in pairs if value is not None and limit is not None]
        beyond = [verdict_confidence(value, limit) for value, limit in known if value > limit]
        if beyond:
            evidence.reject(f"colour-difference:{name}", max(beyond))
        evidence.passed.extend(verdict_confidence(value, limit) for value, limit in known)


def verdict_confidence(score: float, threshold: float) -> float:
    """Return the confidence that a score is on its side of the threshold: 0.5 on it, towards 1 away from it.

    A logistic curve over the logarithm of the ratio: twice and half the threshold give equal confidence.
    """
    if score <= 0 or threshold <= 0:
        return 1.0 if score < threshold else _BORDER
    exponent = _STEEPNESS * abs(math.log(score) - math.log(threshold))
    return 1.0 / (1.0 + math.exp(-min(exponent, _MOST_EXPONENT)))
