"""The sensor anomaly model: scores rows and attributes the score to features; NumPy only, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import align
from inspection.sensor.model.evidence import Evidence
from inspection.sensor.model.held_rows import Holding
from inspection.sensor.model.metadata import SensorMetadata
from inspection.sensor.model.network import Network
from inspection.sensor.model.reconstruction import squared_errors
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.model.series import Series
from inspection.sensor.model.series_state import SeriesState
from inspection.sensor.model.smoothing import capped, smooth
from inspection.sensor.model.windows import Windows
from inspection.sensor.table.cells import LARGEST
from models.errors import InvalidInput

Status = Literal["normal", "anomaly"]
_AT_ONCE = 8192
"""Rows of a series per chunk, bounding the memory of their features."""


@dataclass(frozen=True, slots=True)
class RowScore:
    """The score of one row.

    Attributes:
        score: Euclidean norm ‖x − x̂‖ of the scaled values; for windows its exponentially weighted root mean square.
        status: ``anomaly`` when the score is above the threshold.
        threshold: of the model.
        contributions: contribution of each feature to the squared score, which is their sum.
    """

    score: float
    status: Status
    threshold: float
    contributions: dict[str, float]


@dataclass(frozen=True, slots=True)
class Reference:
    """The distribution of the training rows.

    Attributes:
        error_percentiles: float64 ``(101,)`` of the errors behind the threshold.
        histogram_counts: int64 ``(bins,)`` of these errors.
        histogram_edges: float64 ``(bins + 1,)``.
        sensor_percentiles: float64 ``(sensors, 101)`` of the unscaled values.
        sensor_mean: float64 ``(sensors,)``.
        sensor_deviation: float64 ``(sensors,)``.
    """

    error_percentiles: NDArray[np.float64]
    histogram_counts: NDArray[np.int64]
    histogram_edges: NDArray[np.float64]
    sensor_percentiles: NDArray[np.float64]
    sensor_mean: NDArray[np.float64]
    sensor_deviation: NDArray[np.float64]


@dataclass(frozen=True)
class SensorModel:
    """A trained model; immutable and thread-safe.

    Attributes:
        metadata: columns, threshold, window and so on.
        scaling: of the features.
        network: the autoencoder.
        reference: distribution of the training rows.
        windows: feature extractor; None for a model of vectors, whose features are the values themselves.
        series: feature extractor of a model of a series; None for the others.
        evidence: weighs the features of a series; None for the others.
    """

    metadata: SensorMetadata
    scaling: Scaling
    network: Network
    reference: Reference
    windows: Windows | None
    series: Series | None = None
    evidence: Evidence | None = None

    @property
    def needs_order(self) -> bool:
        """Whether a row is scored by the rows before it."""
        return self.windows is not None or self.series is not None

    @property
    def input_dimension(self) -> int:
        """Number of values of a row."""
        return len(self.metadata.columns)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in the order of contributions."""
        if self.windows is None:
            # Of a series each sensor has many features, whose parts are added.
            return self.metadata.columns
        names = self.metadata.columns
        return (*(f"{name} mean" for name in names), *(f"{name} spread" for name in names))

    def with_threshold(self, threshold: float) -> SensorModel:
        """Return this model with another threshold, without retraining; its scores stay as they are.

        Raises:
            InvalidInput: ``sensor-threshold`` unless it is a finite number above 0.
        """
        if not (math.isfinite(threshold) and threshold > 0):
            raise InvalidInput("sensor-threshold", value=threshold)
        return replace(self, metadata=self.metadata.model_copy(update={"threshold": float(threshold)}))

    def threshold_at(self, percent: int) -> float:
        """Return a percentile, 0 to 100, of the errors behind the threshold."""
        return float(self.reference.error_percentiles[percent])

    def score_row(self, values: Sequence[float | None]) -> RowScore:
        """Score one vector.

        Args:
            values: ``input_dimension`` values; None or NaN where a value is missing.

        Raises:
            InvalidInput: ``sensor-wrong-length`` with the expected length, ``sensor-value-infinite``,
                ``sensor-too-many-missing`` when more than half are missing.
            ValueError: for a model that needs the rows before: use ``SensorStream``.
        """
        if self.needs_order:
            raise ValueError("a model of windows or of a series scores rows in a stream")
        row, _ = self.row(values)
        return self.row_score(self.squared_errors(row))

    def score(self, rows: NDArray[np.float64], seconds: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the score of each row of a series.

        Args:
            rows: float64 ``(n, input_dimension)``, for windows in the order of time; NaN where a value is missing.
            seconds: float64 ``(n,)``, the time of each row, for a series; None goes by the order of the rows.

        Returns:
            float64 ``(n,)``; NaN for a row with more than half of its features missing.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``.
        """
        errors = self.contributions(rows, seconds)
        return np.asarray(np.sqrt(errors.sum(axis=1)), np.float64)

    def contributions(
        self, rows: NDArray[np.float64], seconds: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the contributions of all features, of a series those of the sensors, to the squared score of each row.

        Args:
            rows: as for ``score``.
            seconds: as for ``score``.

        Returns:
            float64 ``(n, len(feature_names))``; NaN for a row with more than half of its features missing.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``.
        """
        table = np.asarray(rows, np.float64)
        if table.ndim != 2 or table.shape[1] != self.input_dimension:  # noqa: PLR2004 - rows and columns
            self._refuse_length(table.shape[-1] if table.ndim else 0)
        if (np.abs(table) > LARGEST).any():
            raise InvalidInput("sensor-value-infinite")
        if self.series is not None:
            return self._series_squares(table, seconds)
        if self.windows is None:
            return self.squared_errors(table)
        squares = self.squared_errors(self.windows.features(table))
        return self.smoothed(squares, warm_up=self.windows.length - 1)

    def series_squares(
        self, values: NDArray[np.float64], positions: NDArray[np.float64], state: SeriesState
    ) -> NDArray[np.float64]:
        """Return the squared errors of further rows of a series, and move its state.

        Args:
            values: float64 ``(n, sensors)``; NaN where missing.
            positions: float64 ``(n,)``; see ``Series.advance``.
            state: after the rows before.

        Returns:
            float64 ``(n, sensors)``; NaN for a row with more than half of its values missing.
        """
        series, evidence, metadata = self.series, self.evidence, self.metadata
        if series is None or evidence is None or metadata.series is None:
            raise ValueError("no model of a series")
        holding = Holding(metadata.series.held_above, metadata.hold_off, metadata.series.held)

        def squares_of(part: slice, held: NDArray[np.bool_], state: SeriesState) -> NDArray[np.float64]:
            features, filled = series.advance(values[part], positions[part], state, held)
            squares = evidence.squares(
                evidence.distances(features, filled, self.scaling, self.network), self.input_dimension
            )
            squares[2 * np.isnan(values[part]).sum(axis=1) > values.shape[1]] = np.nan
            return squares

        return holding.squares(series, len(values), state, squares_of)

    def _series_squares(self, values: NDArray[np.float64], seconds: NDArray[np.float64] | None) -> NDArray[np.float64]:
        series, metadata = self.series, self.metadata
        if series is None or metadata.series is None:
            raise ValueError("no model of a series")
        state = series.begin()
        positions = metadata.series.positions_of_times(seconds, metadata.period_s)
        if positions is None:
            state.offsets, positions = align(series.cycles, series.spread, values), np.arange(float(len(values)))
        out = np.empty(values.shape)
        for begin in range(0, len(values), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            out[part] = self.series_squares(values[part], positions[part], state)
        return out

    def smoothed(self, squares: NDArray[np.float64], *, warm_up: int) -> NDArray[np.float64]:
        """Return the smoothed squared errors ``(n, features)``; warm-up rows enter with the median error.

        A row that cannot be scored (too many values missing, or overflow) does not change the mean; its errors are NaN.
        """
        median = self.median_squares()
        known: NDArray[np.bool_] = np.asarray(np.isfinite(squares).all(axis=1))
        known[:warm_up] = True
        counted = squares[known]
        counted[: min(warm_up, len(counted))] = median
        out = np.full_like(squares, np.nan)
        out[known] = smooth(capped(counted, self.metadata.cap), self.metadata.smoothing, median)
        return out

    def median_squares(self) -> NDArray[np.float64]:
        """Return the median squared error, distributed evenly over the features: float64 ``(features,)``."""
        features = len(self.scaling.center)
        return np.full(features, float(self.reference.error_percentiles[50]) ** 2 / features)

    def squared_errors(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the squared errors of features ``(..., features)``; see ``reconstruction.squared_errors``."""
        return squared_errors(features, self.scaling, self.network)

    def row_score(self, squares: NDArray[np.float64]) -> RowScore:
        """Return the score of one row from its squared errors ``(features,)``.

        Raises:
            InvalidInput: ``sensor-too-many-missing``, ``sensor-value-infinite``.
        """
        shares = squares.tolist()
        total = sum(shares)
        if not total < math.inf:
            code = "sensor-too-many-missing" if math.isnan(total) else "sensor-value-infinite"
            raise InvalidInput(code, expected=self.input_dimension)
        score = total**0.5
        threshold = self.metadata.threshold
        return RowScore(
            score,
            "anomaly" if score > threshold else "normal",
            threshold,
            dict(zip(self.feature_names, shares, strict=True)),
        )

    def row(self, values: Sequence[float | None]) -> tuple[NDArray[np.float64], bool]:
        """Return one row as float64 ``(input_dimension,)``, NaN for None, and whether it is complete.

        Raises:
            InvalidInput: ``sensor-wrong-length``, ``sensor-value-infinite``.
        """
        if len(values) != self.input_dimension:
            self._refuse_length(len(values))
        found = np.array(values, np.float64)
        # The norm is NaN or infinite if any value is; faster than testing each.
        norm = math.hypot(*found.tolist())
        if norm <= LARGEST:
            return found, True
        if (np.abs(found) > LARGEST).any():
            raise InvalidInput("sensor-value-infinite")
        return found, not math.isnan(norm)

    def _refuse_length(self, given: int) -> None:
        expected = self.input_dimension
        raise InvalidInput(
            "sensor-wrong-length", members={"expected": expected, "given": given}, given=given, expected=expected
        )
