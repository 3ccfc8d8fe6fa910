"""How a sensor model is trained."""

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


class SensorTraining(BaseModel):
    """Settings of a training run.

    Attributes:
        name: of the model, for people.
        window: rows of a window; 1 for vectors, whose rows need no order.
        hidden: sizes of the layers down to the bottleneck; empty for sizes that follow from the number of features.
        percent: the threshold as a percentile of the errors, 95 to 99; None for the usual one: 95 for vectors, 99 for
            windows, which score the same event many times.
        auto_threshold: an extreme-value tail instead of a percentile.
        scaling: ``robust`` or ``standard``; None takes ``standard``.
        epochs: passes over the rows; None for as many as the number of rows asks for.
        seed: same rows, seed and libraries, same model.
        folds: blocks that are held out in turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=LONGEST_NAME)
    window: int = Field(default=1, ge=1, le=MAX_WINDOW)
    hidden: tuple[Annotated[int, Field(ge=1, le=MAX_HIDDEN)], ...] = Field(default=(), max_length=8)
    percent: float | None = Field(default=None, ge=MIN_PERCENT, le=MAX_PERCENT)
    auto_threshold: bool = False
    scaling: ScalingKind = "standard"
    epochs: int | None = Field(default=None, ge=1, le=100_000)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    folds: int = Field(default=10, ge=2, le=50)

    @property
    def threshold_percent(self) -> float | None:
        """The percentile to use; None for the tail."""
        if self.auto_threshold:
            return None
        return self.percent or (VECTOR_PERCENT if self.window == 1 else WINDOW_PERCENT)

    @property
    def held_out(self) -> bool:
        """Whether the threshold comes from rows held out of the fit.

        That of vectors comes from the training errors, as the API's contract says. Windows overlap: what a network
        saw of one it knows of the next, so their training errors say little of the errors to come; nor do those at
        the end of a tail.
        """
        return self.window > 1 or self.auto_threshold
