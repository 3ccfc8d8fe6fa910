"""The settings of an anomaly training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from inspection.anomaly.configuration import SIDES, Configuration
from inspection.anomaly.detail import DEFAULT_DETAIL, DetailName, detail_side
from inspection.anomaly.methods.registry import DEFAULT_METHOD, MethodSettings
from inspection.anomaly.threshold.policy import PolicyName, ThresholdPolicy
from inspection.imaging.reading import PagePolicy
from models.names import LONGEST_NAME

LARGEST_SEED = 2**63 - 1
RotationName = Literal["auto", "any", "fixed"]
GroupingName = Literal["similar", "none"]
OVERRULED = ("backbone", "side", "whitening")
"""Settings that overrule the field of ``Configuration`` of the same name."""


class TrainingSettings(BaseModel):
    """The settings of an anomaly training.

    Attributes:
        name: of the model, for people.
        method: ``patchcore``, or ``padim`` for aligned images of one size.
        detail: how large the network sees the images, where no side overrules it.
        rotation: whether parts lie in ``any`` orientation, always alike (``fixed``), or as the good images show.
        backbone: overrules the configuration's network.
        side: overrules its side.
        whitening: overrules its whitening.
        bank_size: maximum number of patches in the memory bank; memory and inference time grow with it.
        threshold: a policy of ``inspection.anomaly.threshold.policy``; ``f1`` and ``cost`` need images of defects.
        false_alarm_rate: share of good parts that the threshold may reject.
        escape_cost: cost of a defect that passes, for ``cost``.
        overkill_cost: cost of a good part that is rejected, for ``cost``.
        defect_rate: share of defective parts in production, for ``cost``.
        folds: of the cross-validation behind the threshold.
        grouping: whether near-duplicate images count as one for the threshold (``similar``) or each on its own.
        seed: the same images, settings, library versions and seed give the same file.
        threads: number of CPU threads; 0 takes the setting.
        value_range: values that are black and white in images deeper than 8 bits; None takes what the files declare,
            else what the values of all images show.
        pages: whether files of several pages are refused or their first page is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=LONGEST_NAME)
    method: str = DEFAULT_METHOD
    detail: DetailName = DEFAULT_DETAIL
    rotation: RotationName = "auto"
    backbone: str | None = None
    side: int | None = Field(default=None, ge=SIDES[0], le=SIDES[1])
    whitening: float | None = Field(default=None, ge=0, le=1)
    bank_size: int = Field(default=5000, ge=100, le=50_000)
    threshold: PolicyName = "quantile"
    false_alarm_rate: float = Field(default=0.05, gt=0, lt=0.5)
    escape_cost: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    overkill_cost: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    defect_rate: float = Field(default=0.02, gt=0, lt=1)
    folds: int = Field(default=10, ge=2, le=20)
    grouping: GroupingName = "similar"
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    threads: int = Field(default=0, ge=0, le=256)
    value_range: tuple[FiniteFloat, FiniteFloat] | None = None
    pages: PagePolicy = "refuse"

    @property
    def policy(self) -> ThresholdPolicy:
        """The threshold policy."""
        return ThresholdPolicy(
            name=self.threshold,
            false_alarm_rate=self.false_alarm_rate,
            escape_cost=self.escape_cost,
            overkill_cost=self.overkill_cost,
            defect_rate=self.defect_rate,
        )

    def overruled(self, configuration: Configuration) -> Configuration:
        """Return a configuration with the fields that these settings overrule."""
        given = {name: value for name in OVERRULED if (value := getattr(self, name)) is not None}
        return configuration.model_copy(update={**given, "overruled": tuple(given)})

    def seeing(self, configuration: Configuration, sizes: Sequence[tuple[int, int]]) -> Configuration:
        """Return a configuration with the side that these settings ask for.

        Args:
            configuration: its side is that of standard detail.
            sizes: height and width of the images as the model is given them.
        """
        if self.side is not None:
            return configuration.model_copy(update={"detail": ""})
        side = detail_side(self.detail, configuration.side, sizes)
        return configuration.model_copy(update={"side": side, "detail": self.detail})

    def method_settings(self, configuration: Configuration) -> MethodSettings:
        """Return the settings of the method for a configuration."""
        return MethodSettings(bank_size=self.bank_size, seed=self.seed, whitening=configuration.whitening)
