"""The metadata of a sensor model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from inspection.sensor.model.scaling import ScalingKind
from inspection.sensor.model.windows import MAX_WINDOW
from inspection.sensor.table.reading import MAX_COLUMNS
from models.names import LONGEST_NAME

FORMAT = 1


class SensorMetadata(BaseModel):
    """The metadata of a model file, stored beside its arrays.

    Attributes:
        format: version of the model file.
        name: display name of the model.
        columns: unique names of the sensors, one per value of a row.
        window: rows of a window; 1 for vectors.
        smoothing: weight of the newest row in the running mean of squared errors; 1 for vectors.
        cap: upper bound of the error of one row in the running mean.
        scaling: kind of scaling.
        threshold: a score strictly above it is an anomaly.
        threshold_method: ``percentile`` or ``tail``.
        threshold_percent: the percentile; None for ``tail``.
        threshold_rate: expected share of normal rows above the threshold.
        threshold_held_out: whether the errors behind it are cross-validated.
        period_s: median time between rows, if the training data have times.
        rows: number of training rows.
        missing: share of missing training values.
        epochs: passes over the rows.
        seed: of the initial weights.
        data_digest: SHA-256 of the training values.
        versions: of the libraries it was trained with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = FORMAT
    name: str = Field(default="", max_length=LONGEST_NAME)
    columns: tuple[str, ...] = Field(min_length=1, max_length=MAX_COLUMNS)
    window: int = Field(ge=1, le=MAX_WINDOW)
    smoothing: float = Field(gt=0, le=1)
    cap: float = Field(gt=0)
    scaling: ScalingKind
    threshold: float = Field(gt=0)
    threshold_method: Method
    threshold_percent: float | None
    threshold_rate: float = Field(gt=0, lt=1)
    threshold_held_out: bool
    period_s: float | None = None
    rows: int = Field(ge=1)
    missing: float = Field(ge=0, le=1)
    epochs: int = Field(ge=1)
    seed: int = Field(ge=0)
    data_digest: str
    versions: dict[str, str]

    @field_validator("columns")
    @classmethod
    def _are_unique(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        # Contributions are keyed by name.
        if len(set(columns)) < len(columns):
            raise ValueError("names of sensors must be unique")
        return columns


Method = Literal["percentile", "tail"]
