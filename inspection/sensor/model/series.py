"""Features of a series at several time scales, of each sensor and of its difference from the other sensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle, expected, moved
from inspection.sensor.model.metadata import LARGEST_BEFORE
from inspection.sensor.model.scaling import known_means
from inspection.sensor.model.series_state import SeriesState, read_state
from inspection.sensor.model.smoothing import smooth
from inspection.sensor.model.stops import Stops

KINDS = 3
"""Scales: a few rows, their geometric middle, and the longest."""
OF_CHANNEL = 1 + 4 * KINDS
"""Features of one channel: the newest row; per scale level, change, energy and roughness."""
_FLOOR = 0.05
"""Added to energy and roughness, in their usual size, so that a sensor that stands still has a logarithm."""
_LARGEST = 5.0
"""One row counts no more than this in a level, in usual deviations."""
_FOLLOWED = 2.0
"""One row moves the base line no more than one so far away does, in usual deviations."""
_GAP = 1.5
_LEAST_SHARE = 1e-6
_LEAST_LEFT = 1e-3
"""Of the square of a usual difference, where other sensors are missing."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Series:
    """Turns rows into features; all arithmetic is causal and takes the rows in any number of pieces.

    Channels are the sensors, and with more than one of them, as many differences between a sensor and what the others
    predict of it.

    Attributes:
        spans: rows of each time scale, ascending; a running mean of ``n`` rows has the memory of a window of ``n``.
        cycles: what repeats.
        mean: float64 ``(sensors,)``.
        spread: float64 ``(sensors,)``, usual deviation from what is expected; above 0.
        phase_spread: float64 ``(phases, sensors)``, the same by the phase of the first cycle; None where it is unknown.
        roughness: float64 ``(channels,)``, usual change from row to row; above 0.
        usual: float64 ``(3 * channels,)``, usual level, energy and roughness, imputed for missing values.
        relation: float64 ``(sensors, sensors)``, what the others predict; None for one sensor.
        relation_spread: float64 ``(sensors,)``, usual difference from it.
        block: rows after which the base line moves.
        follow: rows in which it follows a lasting change by about two thirds.
        base: float64 ``(sensors,)``, the base line at the end of the training.
        stops: of the machine in normal operation; None where it has none.
        largest: one row counts no more than this in energy and roughness, in usual deviations and changes.
    """

    spans: tuple[int, ...]
    cycles: tuple[Cycle, ...]
    mean: Vector
    spread: Vector
    phase_spread: Matrix | None
    roughness: Vector
    usual: Vector
    relation: Matrix | None
    relation_spread: Vector
    block: int
    follow: float
    base: Vector
    stops: Stops | None = None
    largest: float = LARGEST_BEFORE

    @property
    def sensors(self) -> int:
        """Number of values of a row."""
        return len(self.mean)

    @property
    def channels(self) -> int:
        """Number of channels, each with ``OF_CHANNEL`` features."""
        return self.sensors if self.relation is None else 2 * self.sensors

    def begin(self) -> SeriesState:
        """Return the state before the first row."""
        zeros = np.zeros(self.sensors)
        last, offsets = np.full(self.channels, np.nan), np.zeros(len(self.cycles))
        return SeriesState(np.nan, self.base.copy(), 0, zeros, last, self._neutral(), offsets)

    def state_of(self, flattened: Vector) -> SeriesState:
        """Return the state in a vector of ``SeriesState.flattened``."""
        return read_state(flattened, self.sensors, self.channels, len(self.spans), len(self.cycles))

    def block_end(self, state: SeriesState, row: int) -> int:
        """Return after how many further rows the base line moves by one of them, ``row`` from 0."""
        return ((state.rows + row) // self.block + 1) * self.block - state.rows

    def advance(
        self, values: Matrix, positions: Vector, state: SeriesState, held: Mask | None = None
    ) -> tuple[Matrix, Vector]:
        """Return the features of further rows and how far their scales are filled, and move the state.

        A missing value counts as one that is as expected, and among the other sensors as what they predict of it. The
        values of a normal stop count as missing. Each row of a gap that is longer than the shortest scale is missing; a
        shorter gap does not move the means. A change is weighed by the share of known rows, small after the start or a
        gap. The base line is kept over a gap.

        Args:
            values: float64 ``(rows, sensors)``; NaN where missing.
            positions: float64 ``(rows,)``, ascending, in rows since a fixed moment.
            state: after the rows before; changed in place.
            held: bool ``(rows,)``, rows that do not move the base line; None for none.

        Returns:
            Features, float64 ``(rows, channels * OF_CHANNEL)``, every ``channels`` of them those of each channel; and
            how far the scales are filled, float64 ``(rows, channels)`` from 0 to 1: the product of their shares of
            known rows.
        """
        before = np.concatenate([[state.position], positions[:-1]])
        far = np.nan_to_num(positions - before, nan=1.0)
        gaps = np.flatnonzero(far > self.spans[0])
        out, filled = np.empty((len(values), self.channels * OF_CHANNEL)), np.empty((len(values), self.channels))
        held = np.zeros(len(values), np.bool_) if held is None else held
        for start, end in zip(
            np.concatenate([[0], gaps]).tolist(), np.concatenate([gaps, [len(values)]]).tolist(), strict=True
        ):
            if end > start:
                if far[start] > self.spans[0]:
                    self._forget(state, float(far[start]) - 1)
                part = slice(start, end)
                out[part], filled[part] = self._piece(
                    values[part], positions[part], far[part] > _GAP, held[part], state
                )
        return out, filled

    def usual_means(self, values: Matrix, positions: Vector) -> Vector:
        """Return the mean level, energy and roughness of training rows, as ``usual``; the level is 0."""
        state = self.begin()
        gaps = np.diff(positions, prepend=positions[:1]) > _GAP
        _, means = self._scaled(values, positions, gaps, np.zeros(len(values), np.bool_), state)
        found = known_means(means[:, : 3 * self.channels])
        found[: self.channels] = 0.0
        return found

    def deviations(self, values: Matrix, positions: Vector, offsets: Vector | None = None) -> tuple[Matrix, Matrix]:
        """Return how far rows lie above what is expected, and the deviation that is usual there; both as ``values``.

        Args:
            values: float64 ``(rows, sensors)``; NaN where missing.
            positions: float64 ``(rows,)``.
            offsets: see ``SeriesState``; None for 0.
        """
        cycles = self.cycles if offsets is None else moved(self.cycles, offsets)
        above = values - expected(cycles, self.mean, positions)
        if self.phase_spread is None:
            return above, np.broadcast_to(self.spread, above.shape)
        return above, self.phase_spread[cycles[0].phases(positions)]

    def _neutral(self) -> Matrix:
        return np.tile(np.concatenate([self.usual, np.zeros(self.channels)]), (len(self.spans), 1))

    def _forget(self, state: SeriesState, rows: float) -> None:
        """Move the running means by rows that are missing."""
        keep = np.array([1 - 2 / (span + 1) for span in self.spans])[:, None] ** rows
        state.means = keep * state.means + (1 - keep) * self._neutral()

    def _piece(
        self, values: Matrix, positions: Vector, after_gap: Mask, held: Mask, state: SeriesState
    ) -> tuple[Matrix, Vector]:
        scaled, means = self._scaled(values, positions, after_gap, held, state)
        return self._features(scaled, np.where(np.isnan(means), self._neutral()[0], means), state)

    def _scaled(
        self, values: Matrix, positions: Vector, after_gap: Mask, held: Mask, state: SeriesState
    ) -> tuple[Matrix, Matrix]:
        """Return the scaled rows of all channels, and what their running means are of, NaN where it is missing."""
        above, spread = self.deviations(values, positions, state.offsets)
        lines, stopped = self._base_lines(values, above, spread, held, state)
        known = ~np.isnan(above) & ~stopped[:, None]
        scaled = np.where(known, (above - lines) / spread, 0.0)
        measured = np.where(stopped[:, None], np.nan, values) if stopped.any() else values
        if self.relation is not None:
            others = self._differences(scaled, known, self.relation)
            measured = np.concatenate([measured, np.where(known, others, np.nan)], axis=1)
            scaled, known = np.concatenate([scaled, others], axis=1), np.concatenate([known, known], axis=1)
        steps = np.diff(np.concatenate([state.last[None], measured]), axis=0) / self.roughness
        steps[after_gap] = np.nan
        state.last, state.position = measured[-1].copy(), float(positions[-1])
        most = self.largest
        means = np.concatenate(
            [
                np.clip(scaled, -_LARGEST, _LARGEST),
                np.where(known, np.square(np.clip(scaled, -most, most)), np.nan),
                np.square(np.clip(steps, -most, most)),
                known.astype(np.float64),
            ],
            axis=1,
        )
        return scaled, means

    def _differences(self, scaled: Matrix, known: Mask, relation: Matrix) -> Matrix:
        """Return how far each known sensor differs from what the other known ones predict, in usual differences.

        What is missing is replaced by its prediction, whose difference is 0, and the differences, which are smaller
        for it, are brought to their usual size: both follow from the relation, whose columns are those of an inverse
        covariance matrix, by its Schur complement.
        """
        out = np.where(known, scaled @ relation / self.relation_spread, 0.0)
        incomplete = np.flatnonzero(~known.all(axis=1) & known.any(axis=1))
        if not len(incomplete):
            return out
        patterns, which = np.unique(known[incomplete], axis=0, return_inverse=True)
        for place, pattern in enumerate(patterns):
            rows, missing = incomplete[which.ravel() == place], ~pattern
            among, to_known = relation[np.ix_(missing, missing)], relation[np.ix_(missing, pattern)]
            predicting = np.linalg.solve(among.T, relation[np.ix_(pattern, missing)].T).T
            left = np.maximum(1 - (predicting * to_known.T).sum(axis=1), _LEAST_LEFT)
            differences = scaled[np.ix_(rows, pattern)] @ (relation[np.ix_(pattern, pattern)] - predicting @ to_known)
            out[np.ix_(rows, pattern)] = differences / (np.sqrt(left) * self.relation_spread[pattern])
        return out

    def _features(self, scaled: Matrix, means: Matrix, state: SeriesState) -> tuple[Matrix, Vector]:
        channels = self.channels
        found = [scaled]
        faster, weight = scaled, np.ones_like(scaled)
        for place, span in enumerate(self.spans):
            smoothed = smooth(means, 2 / (span + 1), state.means[place])
            state.means[place] = smoothed[-1]
            level, share = smoothed[:, :channels], smoothed[:, 3 * channels :]
            # The mean of the known rows: a machine that begins off its base line has not just moved there.
            mean = level / np.maximum(share, _LEAST_SHARE)
            # A change back to what is expected is none.
            weight = weight * share
            change = weight * np.clip(faster - mean, np.minimum(faster, 0.0), np.maximum(faster, 0.0))
            found += [level, change, 0.5 * np.log(smoothed[:, channels : 3 * channels] + _FLOOR**2)]
            faster = mean
        return np.concatenate(found, axis=1), weight

    def _base_lines(
        self, values: Matrix, above: Matrix, spread: Matrix, held: Mask, state: SeriesState
    ) -> tuple[Matrix, Mask]:
        """Return the base line under each row, and which rows belong to a stop, bool ``(rows,)``.

        The base line moves after whole blocks, so that pieces of any size agree. A machine that has moved stops from
        where it is now.
        """
        lines, stopped = np.empty_like(above), np.zeros(len(above), np.bool_)
        start = 0
        while start < len(above):
            part = slice(start, start + self.block - state.rows)
            lines[part] = state.base
            if self.stops is not None:
                stopped[part], state.stopped = self.stops.mask(values[part] - state.base, state.stopped)
            most = _FOLLOWED * spread[part]
            known = ~np.isnan(above[part]) & ~(stopped[part] | held[part])[:, None]
            off = np.clip(np.where(known, above[part] - state.base, 0.0), -most, most)
            state.moved = state.moved + off.sum(axis=0)
            state.rows += len(off)
            start += len(off)
            if state.rows == self.block:
                state.base = state.base + state.moved / self.follow
                state.rows, state.moved = 0, np.zeros(self.sensors)
        return lines, stopped
