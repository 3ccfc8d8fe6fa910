"""What became of the demo's parts, and the figures that follow; values and pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inspection.metrics import image_auroc
from models.states import HumanVerdict, Verdict


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """One inspected part.

    Attributes:
        number: from 1, in order of inspection.
        good: what the label says; None for a part without a label.
        milliseconds: time of the pipeline.
        online: whether the server ran when the part was inspected.
    """

    number: int
    serial_number: str
    file: str
    label: str | None
    good: bool | None
    ai_verdict: Verdict
    effective_verdict: HumanVerdict
    score: float | None
    threshold: float | None
    milliseconds: float
    online: bool

    @property
    def overruled(self) -> bool:
        """Whether the person decided otherwise than the machine."""
        return self.effective_verdict.value != self.ai_verdict.value


def rates_by(outcomes: Sequence[PartOutcome], verdicts: Sequence[str]) -> dict[str, Any]:
    """Return counts of ``verdicts`` (one for each outcome) and their errors against the labels.

    An escape is a defective part passed as OK, overkill a good part rejected as NG; a part on hold is neither.
    """
    pairs = list(zip(outcomes, verdicts, strict=True))
    defective = [verdict for outcome, verdict in pairs if outcome.good is False]
    good = [verdict for outcome, verdict in pairs if outcome.good is True]
    return {
        "ok": sum(verdict == "OK" for _, verdict in pairs),
        "ng": sum(verdict == "NG" for _, verdict in pairs),
        "hold": sum(verdict == "HOLD" for _, verdict in pairs),
        "escapes": _rate(defective.count("OK"), len(defective)),
        "overkill": _rate(good.count("NG"), len(good)),
    }


def figures(outcomes: Sequence[PartOutcome]) -> dict[str, Any]:
    """Return what the report says of the parts: both views, AUROC, latency.

    ``auroc`` is None when the parts do not have both good and defective ones with a score.
    """
    good = [outcome.score for outcome in outcomes if outcome.good is True and outcome.score is not None]
    defective = [outcome.score for outcome in outcomes if outcome.good is False and outcome.score is not None]
    times = [outcome.milliseconds for outcome in outcomes]
    auroc = image_auroc(good, defective) if good and defective else None
    return {
        "parts": {
            "total": len(outcomes),
            "good": sum(outcome.good is True for outcome in outcomes),
            "defective": sum(outcome.good is False for outcome in outcomes),
            "unlabelled": sum(outcome.good is None for outcome in outcomes),
            "without_server": sum(not outcome.online for outcome in outcomes),
            "overruled": sum(outcome.overruled for outcome in outcomes),
        },
        "ai": rates_by(outcomes, [outcome.ai_verdict.value for outcome in outcomes]),
        "effective": rates_by(outcomes, [outcome.effective_verdict.value for outcome in outcomes]),
        "auroc": None if auroc is None else round(auroc, 6),
        "threshold": outcomes[-1].threshold if outcomes else None,
        "latency_ms": {
            "p50": round(float(np.percentile(times, 50)), 1) if times else None,
            "p95": round(float(np.percentile(times, 95)), 1) if times else None,
        },
    }


def _rate(count: int, total: int) -> dict[str, Any]:
    return {"count": count, "total": total, "rate": round(count / total, 6) if total else None}
