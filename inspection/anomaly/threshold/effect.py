"""What a threshold does: false alarms among held-out good images, escapes and overkill among images given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inspection.anomaly.threshold.policy import PolicyName, ThresholdPolicy
from inspection.metrics import wilson_interval

NOMINAL_RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Proportion:
    """How many of how many, with the 95 % interval of Wilson (1927) for the rate behind it."""

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """``count`` of ``total``."""
        return self.count / self.total

    def as_json(self) -> dict[str, float]:
        """Return count, total, rate and the interval as JSON values."""
        return {"count": self.count, "total": self.total, "rate": self.rate, "low": self.low, "high": self.high}

    @classmethod
    def of(cls, count: int, total: int) -> Proportion:
        """Return the share with its interval.

        Raises:
            ValueError: unless ``0 ≤ count ≤ total`` and ``total > 0``.
        """
        bounds = wilson_interval(count, total) if 0 <= count <= total else None
        if bounds is None:
            raise ValueError("a share is some of at least one")
        return cls(count, total, *bounds)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a threshold does.

    Attributes:
        value: the threshold.
        nominal_rate: the false-alarm rate it was chosen for; None for one that was given.
        sample_too_small: whether ``nominal_rate`` rests on an assumption.
        false_alarms: held-out good images of the training above it.
        escapes: images of defects not above it; None without any.
        overkill: good images given above it; None without any.
    """

    value: float
    nominal_rate: float | None
    sample_too_small: bool
    false_alarms: Proportion
    escapes: Proportion | None
    overkill: Proportion | None

    def as_json(self) -> dict[str, Any]:
        """Return what it does as JSON values."""
        return {
            "threshold": self.value,
            "nominal_rate": self.nominal_rate,
            "sample_too_small": self.sample_too_small,
            "false_alarms": self.false_alarms.as_json(),
            "escapes": self.escapes.as_json() if self.escapes else None,
            "overkill": self.overkill.as_json() if self.overkill else None,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """Scores to see the effect on.

    Attributes:
        held_out: of good images the model was not fitted on, at least two.
        defects: of images of defects; may be empty.
        good: of further good images; may be empty.
    """

    held_out: tuple[float, ...]
    defects: tuple[float, ...] = ()
    good: tuple[float, ...] = ()


def effect(
    value: float, evidence: Evidence, nominal_rate: float | None = None, *, sample_too_small: bool = False
) -> Effect:
    """Return what the threshold ``value`` does on ``evidence``."""
    return Effect(
        value=value,
        nominal_rate=nominal_rate,
        sample_too_small=sample_too_small,
        false_alarms=Proportion.of(_above(evidence.held_out, value), len(evidence.held_out)),
        escapes=Proportion.of(len(evidence.defects) - _above(evidence.defects, value), len(evidence.defects))
        if evidence.defects
        else None,
        overkill=Proportion.of(_above(evidence.good, value), len(evidence.good)) if evidence.good else None,
    )


def candidates(evidence: Evidence, method: PolicyName = "quantile") -> list[Effect]:
    """Return what the thresholds of ``method`` for the usual false-alarm rates do, strictest rate first.

    Args:
        evidence: the scores.
        method: ``quantile`` or ``tail``.
    """
    found = []
    for rate in NOMINAL_RATES:
        chosen = ThresholdPolicy(name=method, false_alarm_rate=rate).choose(evidence.held_out)
        found.append(effect(chosen.value, evidence, rate, sample_too_small=chosen.sample_too_small))
    return found


def _above(scores: Sequence[float], value: float) -> int:
    return sum(score > value for score in scores)
