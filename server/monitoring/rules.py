"""Decisions of alert rules: raise, clear, or leave as it is; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from models.messages import LocalText
from models.states import AlertRuleKind, HumanVerdict
from server.daily_counts.contribution import ScoreSums

_CLEARED_AT = 0.8
"""Share of the threshold at which an alert is cleared when the rule does not say: figures near it do not flap."""
_EVERYTHING = 100
"""Percent of NG that no rate is above."""


class Decision(StrEnum):
    """What becomes of an alert."""

    RAISE = "raise"
    CLEAR = "clear"
    LEAVE = "leave"


def with_hysteresis(value: float | None, threshold: float, clear_threshold: float | None) -> Decision:
    """Return what a figure decides: above the threshold raise, at the lower one clear, in between leave.

    Args:
        value: None when there is too little to say.
        threshold: above it an alert is raised.
        clear_threshold: at or below it one is cleared; never above ``threshold``.
    """
    if value is None:
        return Decision.LEAVE
    if value > threshold:
        return Decision.RAISE
    lower = _CLEARED_AT * threshold if clear_threshold is None else min(clear_threshold, threshold)
    return Decision.CLEAR if value <= lower else Decision.LEAVE


def threshold_fault(kind: AlertRuleKind, threshold: float) -> LocalText | None:
    """Return what keeps a rule from raising by such a threshold as it says; None when nothing does."""
    if kind is AlertRuleKind.NG_RATE and threshold >= _EVERYTHING:
        return LocalText.of("value-less-than", {"lt": _EVERYTHING})
    if kind is AlertRuleKind.NG_RUN and not float(threshold).is_integer():
        return LocalText.of("value-int-from-float", {})
    return None


def ng_rate(ok: int, ng: int, min_count: int) -> float | None:
    """Return percent of NG; 0 of nothing, None of fewer than ``min_count``."""
    inspected = ok + ng
    if not inspected:
        return 0.0
    return 100 * ng / inspected if inspected >= min_count else None


def ng_run(newest_first: Sequence[str], length: int) -> Decision:
    """Return what the last parts decide: ``length`` NG in a row raise, an OK part clears; HOLD does not count."""
    run = 0
    for verdict in newest_first:
        if verdict == HumanVerdict.OK.value:
            return Decision.CLEAR if not run else Decision.LEAVE
        run += verdict == HumanVerdict.NG.value
        if run >= length:
            return Decision.RAISE
    return Decision.LEAVE


def score_shift(now: ScoreSums, before: ScoreSums, min_count: int) -> float | None:
    """Return how far scores have moved, as Cohen's d: the difference of the means in standard deviations of before.

    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed. 1988, 2.2, with the reference's own
    standard deviation (Glass's Δ), since a drift may change that of today too.

    Args:
        now: of today.
        before: of the reference days.
        min_count: fewer results on either side say nothing.
    """
    if now.total < min_count or before.total < max(min_count, 2):
        return None
    mean = before.score_sum / before.total
    variance = (before.square_sum - before.total * mean * mean) / (before.total - 1)
    if variance <= 0:
        return None
    return abs(now.score_sum / now.total - mean) / math.sqrt(variance)
