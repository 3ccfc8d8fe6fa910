"""From measurements to a judgement, by criteria; a pure function of values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inspection.judging.criteria import CodeRule, Criteria, Limits
from inspection.judging.wildcards import matches
from models.results import CodeReading, ColourDifference, Detection, Measurement
from models.states import Verdict

__all__ = ["ANOMALY_CLASS", "Criteria", "Judgement", "border_distance", "judge"]

ANOMALY_CLASS = "anomaly"
"""Class name of the regions an anomaly model marks; they are evidence, the score decides."""

# How fast the confidence leaves 0.5 with the ratio of score and threshold: 10 % beyond the threshold gives 0.68.
_STEEPNESS = 8.0
_BORDER = 0.5
_MOST_EXPONENT = 60.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the criteria say.

    Attributes:
        verdict: OK when no reason stands against it.
        confidence: how sure, 0.5 (on the border) to 1.
        reasons: in this order, names in alphabetical order: ``anomaly-score``, ``too-many:<class>``,
            ``measurement-missing:<name>``, ``measurement-low:<name>`` and ``measurement-high:<name>``,
            ``code-none`` (nothing was read, and no criterion says what should be), ``code-missing:<name>``,
            ``code-wrong:<name>`` (codes of the format were read, too few with the text) and
            ``code-too-many:<name>``, ``colour-missing:<name>`` and ``colour-difference:<name>``.
        threshold: the one that was used; None without an anomaly score.
        detections: those that were not ignored.
    """

    verdict: Verdict
    confidence: float
    reasons: tuple[str, ...]
    threshold: float | None
    detections: tuple[Detection, ...]


@dataclass(slots=True)
class _Opinions:
    """What speaks against a part, with how sure each is, and how sure the rest is that it is good."""

    reasons: list[str] = field(default_factory=list)
    against: list[float] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)

    def no(self, reason: str, certainty: float) -> None:
        self.reasons.append(reason)
        self.against.append(certainty)


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
    """Judge one image.

    A score strictly above the effective threshold speaks for NG, unless every region it marks is smaller than the
    least area that counts as a defect. Measurements, codes and colours are judged where the criteria name them. Where
    codes were looked for and the criteria name none, at least one must have been read.

    Args:
        score: the anomaly score, if an anomaly model ran.
        threshold: the model's own threshold; the criteria's goes before it.
        detections: what detectors found and the regions an anomaly model marked (class ``anomaly``).
        measurements: what was measured.
        codes: what was read; None where no codes were looked for.
        colours: what was compared.
        criteria: the rule; the default one tolerates no detection.

    Raises:
        ValueError: when there is a score and no threshold at all, or the score is not a number.
    """
    rule = criteria or Criteria()
    kept = tuple(
        found
        for found in detections
        if (rule.minimum_confidence is None or found.confidence >= rule.minimum_confidence)
        and found.bbox.width * found.bbox.height >= rule.minimum_defect_area
    )
    opinions = _Opinions()
    effective = _judge_score(score, threshold, detections, rule, opinions)
    _judge_counts(kept, rule, opinions)
    _judge_measurements(measurements, rule, opinions)
    if codes is not None and not codes and not rule.codes:
        opinions.no("code-none", 1.0)
    for name in sorted(rule.codes):
        _judge_code(name, rule.codes[name], codes or (), opinions)
    _judge_colours(colours, rule, opinions)
    if opinions.reasons:
        return Judgement(Verdict.NG, max(opinions.against), tuple(opinions.reasons), effective, kept)
    return Judgement(Verdict.OK, min(opinions.sure, default=1.0), (), effective, kept)


def _judge_score(
    score: float | None, threshold: float | None, detections: Sequence[Detection], rule: Criteria, opinions: _Opinions
) -> float | None:
    """Judge the anomaly score; return the threshold that was used."""
    if score is None:
        return None
    effective = rule.threshold if rule.threshold is not None else threshold
    if effective is None or math.isnan(score):
        raise ValueError("an anomaly score needs to be a number and to have a threshold")
    marked = [found for found in detections if found.class_name == ANOMALY_CLASS]
    too_small = bool(marked) and all(
        found.bbox.width * found.bbox.height < rule.minimum_defect_area for found in marked
    )
    certainty = border_distance(score, effective)
    if score > effective and not too_small:
        opinions.no("anomaly-score", certainty)
    else:
        opinions.sure.append(_BORDER if score > effective else certainty)
    return effective


def _judge_counts(kept: Sequence[Detection], rule: Criteria, opinions: _Opinions) -> None:
    counts = Counter(found.class_name for found in kept)
    for name in sorted(counts):
        allowed = rule.max_detections.get(name)
        if allowed is None:
            if name == ANOMALY_CLASS:
                continue
            allowed = rule.default_max_detections
        if counts[name] > allowed:
            ordered = sorted((found.confidence for found in kept if found.class_name == name), reverse=True)
            opinions.no(f"too-many:{name}", max(_BORDER, ordered[allowed]))


def _judge_measurements(measurements: Sequence[Measurement], rule: Criteria, opinions: _Opinions) -> None:
    for name in sorted(rule.measurements):
        limits = rule.measurements[name]
        values = [found.value for found in measurements if found.name == name]
        good = [value for value in values if value is not None]
        if not values or len(good) < len(values):
            opinions.no(f"measurement-missing:{name}", 1.0)
        for way, beyond in (
            ("low", [value for value in good if limits.lower is not None and value < limits.lower]),
            ("high", [value for value in good if limits.upper is not None and value > limits.upper]),
        ):
            if beyond:
                opinions.no(f"measurement-{way}:{name}", max(_within(value, limits) for value in beyond))
        opinions.sure.extend(_within(value, limits) for value in good)


def _within(value: float, limits: Limits) -> float:
    """Return how sure a value is on its side of its limits, 0.5 on one of them."""
    if limits.lower is not None and limits.upper is not None:
        half = (limits.upper - limits.lower) / 2
        distance = abs(value - (limits.lower + limits.upper) / 2)
        return border_distance(distance, half) if half > 0 else 1.0
    limit = limits.lower if limits.lower is not None else limits.upper
    return border_distance(abs(value), abs(limit)) if limit and value * limit > 0 else 1.0


def _judge_code(name: str, rule: CodeRule, codes: Sequence[CodeReading], opinions: _Opinions) -> None:
    of_format = [code for code in codes if not rule.formats or code.format in rule.formats]
    fitting = sum(
        (rule.text is None or code.text == rule.text) and (rule.pattern is None or matches(rule.pattern, code.text))
        for code in of_format
    )
    if fitting < rule.least:
        opinions.no(f"code-wrong:{name}" if len(of_format) > fitting else f"code-missing:{name}", 1.0)
    elif rule.most is not None and fitting > rule.most:
        opinions.no(f"code-too-many:{name}", 1.0)


def _judge_colours(colours: Sequence[ColourDifference], rule: Criteria, opinions: _Opinions) -> None:
    for name in sorted(rule.colours):
        limits = rule.colours[name]
        found = [colour for colour in colours if colour.name == name]
        if not found or any(colour.mean is None for colour in found):
            opinions.no(f"colour-missing:{name}", 1.0)
        pairs = [(colour.mean, limits.mean) for colour in found] + [
            (colour.maximum, limits.maximum) for colour in found
        ]
        known = [(value, limit) for value, limit in pairs if value is not None and limit is not None]
        beyond = [border_distance(value, limit) for value, limit in known if value > limit]
        if beyond:
            opinions.no(f"colour-difference:{name}", max(beyond))
        opinions.sure.extend(border_distance(value, limit) for value, limit in known)


def border_distance(score: float, threshold: float) -> float:
    """Return how sure a score is on its side of the threshold: 0.5 on it, towards 1 away from it.

    A logistic curve over the logarithm of the ratio, so that twice and half the threshold are equally sure.
    """
    if score <= 0 or threshold <= 0:
        return 1.0 if score < threshold else _BORDER
    exponent = _STEEPNESS * abs(math.log(score) - math.log(threshold))
    return 1.0 / (1.0 + math.exp(-min(exponent, _MOST_EXPONENT)))
