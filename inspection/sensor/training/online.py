"""Online learning: adaptation to slow harmless change, within bounds and without learning anomalies."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inspection.sensor.model.network import Network
from inspection.sensor.model.sensor_model import RowScore, SensorModel
from inspection.sensor.scoring.stream import SensorStream, StreamState
from inspection.sensor.training.bounds import bounded, bounds_of, unbounded
from inspection.sensor.training.fitting import Rows, gradient_step
from models.errors import InvalidInput

_DAY_S = 86_400.0
_BATCH = 256
_CERTAIN = 2.0

Reason = Literal["waiting", "too-near-the-threshold", "quarantine", "warming-up"]


class OnlineSettings(BaseModel):
    """The settings of online learning.

    Attributes:
        margin: rows are learned only if their score is below this share of the threshold.
        quarantine: number of rows before and after an event that are not learned, as onset and aftermath belong to it.
            An event is a score above twice the threshold, or more alarms within that many rows than the false-alarm
            rate explains (three standard deviations); single alarms are expected at that rate.
        rate: fraction by which the centre of a feature moves towards a learned row.
        max_shift_per_day: maximum shift of a centre within 24 hours, on the scaled axis. A learner that continues from
            an earlier one's model starts a new day.
        max_total_shift: maximum distance of a centre from that of the reference.
        weight_rate: learning rate of the network's weights, one step per 256 rows; 0 keeps the network.
        max_weight_change: maximum change of each layer's weights against the reference, relative to their norm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(default=0.8, gt=0, le=1)
    quarantine: int = Field(default=60, ge=0, le=1_000_000)
    rate: float = Field(default=0.005, gt=0, le=0.1)
    max_shift_per_day: float = Field(default=0.5, gt=0)
    max_total_shift: float = Field(default=3.0, gt=0)
    weight_rate: float = Field(default=1e-3, ge=0, le=0.1)
    max_weight_change: float = Field(default=0.05, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class LearningStep:
    """The result of one row.

    Attributes:
        row_score: by the current model.
        reference_score: score by the frozen reference.
        reason: ``waiting`` until the quarantine passes without an event, else why the row is not learned.
    """

    row_score: RowScore
    reference_score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class FeatureShift:
    """The shift of one feature by online learning.

    Attributes:
        feature: name of the feature.
        distance: of its centre from that of the reference, on the scaled axis.
        at_bound: whether ``max_total_shift`` is reached; a person should inspect the machine.
    """

    feature: str
    distance: float
    at_bound: bool


@dataclass(frozen=True, slots=True)
class OnlineState:
    """What a learner knows beside its models; another learner of the same reference goes on from it.

    Attributes:
        stream: of the current model.
        frozen: of the reference.
        waiting: rows whose quarantine has not passed: time and features ``(features,)``.
        alarms: whether each of the last rows was an alarm.
        quarantine_left: rows that are still left out.
        day_began: time of the first row of the present day; None before one was learned.
        day_center: float64 ``(features,)``, the centre then.
        batch: float64 ``(rows, features)`` that wait for the next step of the weights.
        learned: number of learned rows.
    """

    stream: StreamState
    frozen: StreamState
    waiting: tuple[tuple[float, NDArray[np.float64]], ...]
    alarms: tuple[bool, ...]
    quarantine_left: int
    day_began: float | None
    day_center: NDArray[np.float64]
    batch: NDArray[np.float64]
    learned: int


class OnlineLearner:
    """Scores the rows of one machine and learns those that are clearly normal; thread-safe.

    The threshold and the reference never change, and every bound is relative to the reference: no number of rows moves
    the model further than ``max_total_shift``. A change faster than ``max_shift_per_day`` or larger than
    ``max_total_shift`` is scored as anomalous; ``feature_shift`` reports one that was followed.
    """

    def __init__(
        self,
        reference: SensorModel,
        settings: OnlineSettings | None = None,
        *,
        current: SensorModel | None = None,
        state: OnlineState | None = None,
    ) -> None:
        """Start from a reference, or continue from ``current``, the model of an earlier learner with that reference.

        With the ``state`` of that learner too, it goes on as if it had never ended: the day, what waits in quarantine.

        Raises:
            ValueError: when columns or window of ``current`` differ; for a series, which follows its machine by itself.
        """
        if reference.series is not None:
            raise ValueError("a series follows its machine by itself")
        self._lock = threading.Lock()
        self.reference = reference
        self._settings = settings or OnlineSettings()
        self._stream = SensorStream(reference, state.stream if state else None)
        if current is not None:
            self._stream.exchange(current)
        self._frozen = SensorStream(reference, state.frozen if state else None)
        self._waiting: deque[tuple[float, NDArray[np.float64]]] = deque()
        self._alarms: deque[bool] = deque(maxlen=max(self._settings.quarantine, 1))
        self._max_alarms = _max_alarms(reference.metadata.threshold_rate, self._settings.quarantine)
        self._quarantine_left = 0
        self._day_began: float | None = None
        self._day_center = self._stream.model.scaling.center
        self._batch: list[NDArray[np.float64]] = []
        self._learned = 0
        if state is not None:
            self._waiting.extend(state.waiting)
            self._alarms.extend(state.alarms)
            self._quarantine_left = state.quarantine_left
            self._day_began, self._day_center = state.day_began, state.day_center
            self._batch.extend(state.batch)
            self._learned = state.learned

    @property
    def model(self) -> SensorModel:
        """The current model."""
        return self._stream.model

    @property
    def rows_learned(self) -> int:
        """Number of learned rows."""
        return self._learned

    def state(self) -> OnlineState:
        """Return what another learner needs, beside the reference and the current model, to go on."""
        with self._lock:
            features = len(self.reference.scaling.center)
            return OnlineState(
                stream=self._stream.state(),
                frozen=self._frozen.state(),
                waiting=tuple(self._waiting),
                alarms=tuple(self._alarms),
                quarantine_left=self._quarantine_left,
                day_began=self._day_began,
                day_center=self._day_center,
                batch=np.array(self._batch) if self._batch else np.empty((0, features)),
                learned=self._learned,
            )

    def push(self, values: Sequence[float | None], at: float) -> LearningStep:
        """Score the next row, and learn the row whose quarantine has passed.

        Args:
            values: ``input_dimension`` values; None or NaN where a value is missing.
            at: time in seconds since a fixed moment, for the bound per day.

        Raises:
            InvalidInput: as ``SensorStream.push``; such a row is not learned, and waiting rows keep waiting.
        """
        with self._lock:
            try:
                reference_score = self._frozen.push(values).score
            except InvalidInput:
                # Pushed to both streams, or their windows would differ; this call raises the same error.
                self._stream.push(values)
                raise
            row_score = self._stream.push(values)
            if self._is_event(row_score):
                self._waiting.clear()
                self._quarantine_left = self._settings.quarantine + 1
            reason = self._reason(row_score)
            self._quarantine_left = max(self._quarantine_left - 1, 0)
            if reason == "waiting":
                features = self._stream.last_features
                if features is not None:
                    self._waiting.append((at, features))
            while len(self._waiting) > self._settings.quarantine:
                when, features = self._waiting.popleft()
                self._learn(when, features)
            return LearningStep(row_score, reference_score, reason)

    def feature_shift(self) -> tuple[FeatureShift, ...]:
        """Return the shift of each feature."""
        with self._lock:
            reference, scale = self.reference.scaling, self.reference.scaling.scale
            distances = (self._stream.model.scaling.center - reference.center) / scale
            bound = self._settings.max_total_shift * 0.999
            return tuple(
                FeatureShift(name, distance, abs(distance) >= bound)
                for name, distance in zip(self.reference.feature_names, distances.tolist(), strict=True)
            )

    def _is_event(self, row_score: RowScore) -> bool:
        self._alarms.append(row_score.status == "anomaly")
        return row_score.score > _CERTAIN * row_score.threshold or (
            row_score.status == "anomaly" and sum(self._alarms) > self._max_alarms
        )

    def _reason(self, row_score: RowScore) -> Reason:
        if self._stream.warming_up:
            return "warming-up"
        if row_score.score > self._settings.margin * row_score.threshold:
            return "too-near-the-threshold"
        return "quarantine" if self._quarantine_left else "waiting"

    def _learn(self, at: float, features: NDArray[np.float64]) -> None:
        model, settings = self._stream.model, self._settings
        self._begin_day(at, model.scaling.center)
        center, scale = model.scaling.center, model.scaling.scale
        step = np.where(np.isnan(features), 0.0, settings.rate * (features - center))
        moved = _clip_around(center + step, self._day_center, settings.max_shift_per_day * scale)
        moved = _clip_around(moved, self.reference.scaling.center, settings.max_total_shift * scale)
        self._learned += 1
        network = model.network
        if settings.weight_rate:
            self._batch.append(features)
            if len(self._batch) == _BATCH:
                network = self._gradient_step(model, np.array(self._batch))
                self._batch.clear()
        scaling = replace(model.scaling, center=moved)
        self._stream.exchange(replace(model, scaling=scaling, network=network))

    def _begin_day(self, at: float, center: NDArray[np.float64]) -> None:
        """Start a new day after 24 hours; timestamps that jump back do not start one."""
        began = self._day_began
        if began is None or at - began >= _DAY_S:
            self._day_began, self._day_center = at, center
        elif at < began:
            self._day_began = at

    def _gradient_step(self, model: SensorModel, features: NDArray[np.float64]) -> Network:
        scaled, known = model.scaling.apply(features)
        rows = Rows(scaled.astype(np.float32), known)
        reference = unbounded(self.reference.network)
        stepped = gradient_step(unbounded(model.network), rows, self._settings.weight_rate)
        bound = self._settings.max_weight_change
        moved = Network(
            tuple(_project(new, old, bound) for new, old in zip(stepped.weights, reference.weights, strict=True)),
            tuple(_project(new, old, bound) for new, old in zip(stepped.biases, reference.biases, strict=True)),
        )
        bounds = bounds_of(self.reference.network)
        return moved if bounds is None else bounded(moved, bounds)


def _max_alarms(rate: float, rows: int) -> float:
    """Return the number of alarms expected among normal rows, plus three standard deviations."""
    return rate * rows + 3 * math.sqrt(rate * (1 - rate) * rows)


def _clip_around(
    values: NDArray[np.float64], middle: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip(values, middle - most, middle + most)


def _project(new: NDArray[np.float32], old: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return ``new``, projected towards ``old`` where their distance exceeds a share of the norm of ``old``."""
    difference = new - old
    distance, most = float(np.linalg.norm(difference)), share * float(np.linalg.norm(old))
    return new if distance <= most else np.asarray(old + difference * (most / distance), np.float32)
