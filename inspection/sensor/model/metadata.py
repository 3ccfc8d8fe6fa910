"""The metadata of a sensor model."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from inspection.sensor.model.scaling import ScalingKind
from inspection.sensor.model.windows import MAX_WINDOW
from inspection.sensor.table.reading import MAX_COLUMNS
from models.names import LONGEST_NAME

FORMAT = 5
"""The newest version of model files, that of a series; those of rows and windows are still written as the first."""
LARGEST_BEFORE = 20.0
"""Usual deviations that one row of a series counted at most in energy and roughness, in files before format 5."""


class SeriesMetadata(BaseModel):
    """What a model of a series has beside the metadata of all models.

    Attributes:
        origin_s: seconds at the position 0; None for a model of rows without times.
        spans: rows of each time scale.
        block: rows after which the base line moves.
        follow: rows in which it follows.
        cycles: period and shift of each cycle, in rows.
        false_alarms_per_week: that the threshold promises; None where a percentile was asked for.
        rows_used: newest training rows that were learned from.
        stops: of the machine among these.
        longest_stop: rows that a stop of the machine may last; 0 where stops are not normal.
        held: rows of an episode that do not move the base line; 0 of files written before there were any.
        held_above: a score strictly above it begins or continues such an episode, whatever threshold alarms go by; the
            one that the promised number of false alarms gives.
        largest: see ``Series``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    origin_s: float | None
    spans: tuple[int, ...] = ()
    block: int = Field(default=1, ge=1)
    follow: float = Field(default=1.0, ge=1)
    cycles: tuple[tuple[float, float], ...] = ()
    false_alarms_per_week: float | None = None
    rows_used: int = Field(default=0, ge=0)
    stops: int = Field(default=0, ge=0)
    longest_stop: int = Field(default=0, ge=0)
    held: int = Field(default=0, ge=0)
    held_above: float = Field(default=1.0, gt=0)
    largest: float = Field(default=LARGEST_BEFORE, gt=0)

    def positions(
        self, seconds: NDArray[np.float64] | None, rows: int, period_s: float | None, start: float = 0.0
    ) -> NDArray[np.float64]:
        """Return the position of each row, float64 ``(rows,)``: of its time, else by its order.

        Args:
            seconds: as for ``positions_of_times``.
            rows: how many there are.
            period_s: seconds from row to row.
            start: position of the first row, where there are no times.
        """
        found = self.positions_of_times(seconds, period_s)
        return start + np.arange(rows, dtype=np.float64) if found is None else found

    def positions_of_times(
        self, seconds: NDArray[np.float64] | None, period_s: float | None
    ) -> NDArray[np.float64] | None:
        """Return the position of each row by its time, float64 ``(rows,)``; None where rows or model have no times.

        Args:
            seconds: float64 ``(rows,)``; NaN where a time is missing, which then follows the one before.
            period_s: seconds from row to row.
        """
        if seconds is None or self.origin_s is None or not period_s or np.isnan(seconds).all():
            return None
        found = (seconds - self.origin_s) / period_s
        missing = np.isnan(found)
        if missing.any():
            order = np.arange(len(seconds))
            places = np.maximum.accumulate(np.where(missing, -1, order))
            first = int(np.argmin(missing))
            found = np.where(places >= 0, found[places] + order - places, found[first] - first + order)
        return np.asarray(found, np.float64)


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
        threshold_method: ``percentile``, ``tail``, or ``episodes`` of a series.
        threshold_percent: the percentile; None for the others.
        threshold_rate: expected share of normal rows above the threshold.
        threshold_held_out: whether the errors behind it are cross-validated.
        period_s: median time between rows, if the training data have times.
        rows: number of training rows.
        missing: share of missing training values.
        epochs: passes over the rows.
        seed: of the initial weights.
        data_digest: SHA-256 of the training values.
        versions: of the libraries it was trained with.
        series: of a model of a series; None for rows and windows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = 1
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
    series: SeriesMetadata | None = None

    @property
    def filling(self) -> int:
        """Number of first rows that only fill the window."""
        return 0 if self.series is not None else self.window - 1

    @property
    def hold_off(self) -> int:
        """Rows without an alarm that end an episode: as many as the score remembers."""
        return self.window if self.series is not None else 2 * self.window

    @field_validator("columns")
    @classmethod
    def _are_unique(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        # Contributions are keyed by name.
        if len(set(columns)) < len(columns):
            raise ValueError("names of sensors must be unique")
        return columns


Method = Literal["percentile", "tail", "episodes"]
