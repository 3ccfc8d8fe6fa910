"""Threshold policies by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from inspection.anomaly.threshold.defects import cost_threshold, f1_threshold
from inspection.anomaly.threshold.estimate import Threshold, choose_threshold, highest_of_groups
from inspection.anomaly.threshold.tail import tail_threshold
from models.errors import InvalidInput

PolicyName = Literal["quantile", "tail", "f1", "cost"]


class ThresholdPolicy(BaseModel):
    """A threshold policy and its parameters.

    Attributes:
        name: ``quantile`` or ``tail`` from good images alone; ``f1`` or ``cost`` with images of defects.
        false_alarm_rate: share of good parts that ``quantile`` and ``tail`` may reject.
        escape_cost: for ``cost``: of a defect that passes as OK.
        overkill_cost: for ``cost``: of a good part that is rejected, in the same unit.
        defect_rate: for ``cost``: share of defective parts in production.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: PolicyName = "quantile"
    false_alarm_rate: float = Field(default=0.05, gt=0, lt=0.5)
    escape_cost: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    overkill_cost: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    defect_rate: float = Field(default=0.02, gt=0, lt=1)

    @property
    def needs_defects(self) -> bool:
        """Whether the policy requires scores of defects."""
        return self.name in _WITH_DEFECTS

    def choose(
        self, good: Sequence[float], defects: Sequence[float] = (), groups: Sequence[int] | None = None
    ) -> Threshold:
        """Return the threshold of this policy.

        Args:
            good: held-out scores of good images, at least two.
            defects: scores of images of defects by the final model; at least one where the policy needs them.
            groups: the group of near duplicates of each good score; None when each is its own. ``quantile`` and
                ``tail`` count groups, ``f1`` and ``cost`` images.

        Raises:
            InvalidInput: ``threshold-needs-defects``.
            ValueError: when there are fewer than two good scores, for ``quantile`` and ``tail`` than two groups.
        """
        if self.needs_defects and not defects:
            raise InvalidInput("threshold-needs-defects", method=self.name)
        return _POLICIES[self.name](self, good, defects, range(len(good)) if groups is None else groups)


_Policy = Callable[[ThresholdPolicy, Sequence[float], Sequence[float], Sequence[int]], Threshold]


def _cost(policy: ThresholdPolicy, good: Sequence[float], defects: Sequence[float], groups: Sequence[int]) -> Threshold:
    del groups
    return cost_threshold(
        good,
        defects,
        escape_cost=policy.escape_cost,
        overkill_cost=policy.overkill_cost,
        defect_rate=policy.defect_rate,
    )


_WITH_DEFECTS: dict[PolicyName, _Policy] = {
    "f1": lambda _, good, defects, __: f1_threshold(good, defects),
    "cost": _cost,
}
_POLICIES: dict[PolicyName, _Policy] = {
    "quantile": lambda policy, good, _, groups: choose_threshold(good, policy.false_alarm_rate, groups),
    "tail": lambda policy, good, _, groups: tail_threshold(highest_of_groups(good, groups), policy.false_alarm_rate),
    **_WITH_DEFECTS,
}
