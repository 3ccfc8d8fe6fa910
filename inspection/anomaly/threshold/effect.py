"""The effect of a threshold: false alarms among held-out good images, escapes and overkill among further images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inspection.anomaly.threshold.policy import PolicyName, ThresholdPolicy
from inspection.metrics import wilson_interval

NOMINAL_RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion with its 95 % confidence interval (Wilson 1927)."""

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """``count`` divided by ``total``."""
        return self.count / self.total

    def as_json(self) -> dict[str, float]:
        """Return count, total, rate and the interval as JSON values."""
        return {"count": self.count, "total": self.total, "rate": self.rate, "low": self.low, "high": self.high}

    @classmethod
    def of(cls, count: int, total: int) -> Proportion:
        """Return the proportion with its interval.

        Raises:
            ValueError: unless ``0 ≤ count ≤ total`` and ``total > 0``.
        """
        bounds = wilson_interval(count, total) if 0 <= count <= total else None
        if bounds is None:
            raise ValueError("a share needs 0 <= count <= total and total > 0")
        return cls(count, total, *bounds)


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a threshold on scores.

    Attributes:
        value: the threshold.
        nominal_rate: the false-alarm rate it was chosen for; None for a given threshold.
        sample_too_small: whether ``nominal_rate`` relies on a distributional assumption.
        false_alarms: held-out good images of the training above it.
        escapes: images of defects not above it; None without any.
        overkill: further good images above it; None without any.
    """

    value: float
    nominal_rate: float | None
    sample_too_small: bool
    false_alarms: Proportion
    escapes: Proportion | None
    overkill: Proportion | None

    def as_json(self) -> dict[str, Any]:
        """Return the effect as JSON values."""
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
    """Scores a threshold is evaluated on.

    Attributes:
        held_out: cross-validated scores of good images, at least two.
        defects: scores of images of defects; may be empty.
        good: scores of further good images; may be empty.
        groups: the group of near duplicates of each held-out score; empty when each is its own.
    """

    held_out: tuple[float, ...]
    defects: tuple[float, ...] = ()
    good: tuple[float, ...] = ()
    groups: tuple[int, ...] = ()


def effect(
    value: float, evidence: Evidence, nominal_rate: float | None = None, *, sample_too_small: bool = False
) -> Effect:
    """Return the effect of the threshold ``value`` on ``evidence``."""
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
    """Return the effects of the thresholds of ``method`` for ``NOMINAL_RATES``, lowest rate first.

    Args:
        evidence: the scores.
        method: ``quantile`` or ``tail``.
    """
    found = []
    for rate in NOMINAL_RATES:
        chosen = ThresholdPolicy(name=method, false_alarm_rate=rate).choose(
            evidence.held_out, groups=evidence.groups or None
        )
        found.append(effect(chosen.value, evidence, rate, sample_too_small=chosen.sample_too_small))
    return found


def _above(scores: Sequence[float], value: float) -> int:
    return sum(score > value for score in scores)
