"""The settings of a sensor training."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inspection.sensor.model.scaling import ScalingKind
from inspection.sensor.model.windows import MAX_WINDOW
from inspection.sensor.training.thresholds import MAX_PERCENT, MIN_PERCENT
from models.names import LONGEST_NAME

VECTOR_PERCENT, WINDOW_PERCENT = 95.0, 99.0
MAX_HIDDEN = 4096
MIN_ROWS = 20
ROWS_OF_SENSOR = 100
"""With fewer rows for each sensor, twice as many later rows of three sensors lie above the threshold as it says, and
nine times as many of eight."""

_HELD_OUT, _MOST_HELD_OUT = 300_000, 1_000_000
"""Values that the networks of few rows are fitted to, all blocks together; three blocks where there are more."""
_LEAST_FOLDS = 3


class SensorTraining(BaseModel):
    """The settings of a sensor training.

    Attributes:
        name: display name of the model.
        window: rows of a window; 1 for vectors, whose order is irrelevant; 0 chooses from the rows between vectors and
            a series, whose time scales come from the rows too.
        hidden: sizes of the layers down to the bottleneck; empty derives them from the number of features.
        percent: the threshold as a percentile of the errors, 95 to 99; None takes 95 for vectors and 99 for windows,
            which contain the same event several times.
        auto_threshold: whether the threshold comes from an extreme-value tail instead of a percentile.
        false_alarms_per_week: of a series, the most that its threshold should give; None takes one in twenty weeks.
        scaling: ``robust`` or ``standard``.
        epochs: passes over the rows; None derives them from the number of rows.
        seed: the same rows, seed and library versions give the same model.
        folds: of the blocked cross-validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=LONGEST_NAME)
    window: int = Field(default=1, ge=0, le=MAX_WINDOW)
    hidden: tuple[Annotated[int, Field(ge=1, le=MAX_HIDDEN)], ...] = Field(default=(), max_length=8)
    percent: float | None = Field(default=None, ge=MIN_PERCENT, le=MAX_PERCENT)
    auto_threshold: bool = False
    false_alarms_per_week: float | None = Field(default=None, gt=0, le=10_000)
    scaling: ScalingKind = "standard"
    epochs: int | None = Field(default=None, ge=1, le=100_000)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    folds: int = Field(default=10, ge=2, le=50)

    @property
    def threshold_percent(self) -> float | None:
        """The percentile of the threshold; None for the tail."""
        if self.auto_threshold:
            return None
        return self.percent or (VECTOR_PERCENT if self.window == 1 else WINDOW_PERCENT)

    def folds_of(self, rows: int, sensors: int) -> int:
        """Return in how many blocks rows are held out in turn for the threshold; 0 takes the training errors.

        Windows overlap, and the extreme tail and few rows are learned by heart: training errors then underestimate the
        errors on new rows. A network for each block of a large table would take minutes; it has fewer, or none.
        """
        if self.window > 1 or self.auto_threshold:
            return self.folds
        if rows >= ROWS_OF_SENSOR * sensors:
            return 0
        values = rows * sensors
        count = min(self.folds, max(_HELD_OUT // values, _LEAST_FOLDS))
        return count if count * values <= _MOST_HELD_OUT else 0
