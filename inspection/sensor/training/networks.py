"""The networks of a training: of all rows, and of all but those held out, each bounded by the rows it was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import MAX_LAYERS, Network, layer_sizes
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.training.bounds import Bounds, bounded, network_of_one, unbounded
from inspection.sensor.training.feature_scaling import scaling_of
from inspection.sensor.training.fitting import TrainingRows, fit_networks
from inspection.sensor.training.settings import SensorTraining

_BEYOND = 1.0
"""How far beyond their range the features of windows are still rebuilt, in ranges: means of windows drift."""
_MAX_STARTS = 5
_MAX_SAMPLE = 10_000

Matrix = NDArray[np.float64]
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FittedPart:
    """The rows that one network is fitted to.

    Attributes:
        runs: of rows.
        scaling: of the features.
    """

    runs: tuple[slice, ...]
    scaling: Scaling


def networks_of(
    features: Matrix,
    parts: Sequence[FittedPart],
    settings: SensorTraining,
    *,
    epochs: int,
    start: Network | None,
    on_step: OnStep | None,
) -> list[Network]:
    """Return the network of each part.

    Args:
        features: float64 ``(n, features)``; NaN where a value is missing.
        parts: of the features.
        settings: of the training.
        epochs: passes over the rows.
        start: the network whose training continues.
        on_step: called with the steps done and the total.

    Raises:
        InvalidInput: ``sensor-bottleneck``.
    """
    if features.shape[1] == 1:
        if on_step is not None:
            on_step(1, 1)
        return [_network_of_one(features, part, settings) for part in parts]
    sizes = layer_sizes(features.shape[1], settings.hidden)
    rows = [TrainingRows(features, part.scaling, _inside(len(features), part.runs)) for part in parts]
    first = None if start is None else unbounded(start)
    networks = _responding_networks(rows, sizes, settings.seed, epochs, first, on_step)
    if len(networks[0].weights) >= MAX_LAYERS:
        return networks  # A further layer would not fit into a model file.
    beyond = 0.0 if settings.window == 1 else _BEYOND
    return [bounded(network, _range_of(features, part, beyond)) for network, part in zip(networks, parts, strict=True)]


def _network_of_one(features: Matrix, part: FittedPart, settings: SensorTraining) -> Network:
    """Return the network of the only feature: the middle of the rows, on the axis of the model."""
    middle = scaling_of(features, part.runs, settings, None).center
    return network_of_one(float(((middle - part.scaling.center) / part.scaling.scale)[0]))


def _range_of(features: Matrix, part: FittedPart, beyond: float) -> Bounds:
    """Return the bounds of each feature, scaled: its range, and so many times that to either side.

    A feature without a value in these rows has its centre for both.
    """
    lowest = np.fmin.reduce([np.fmin.reduce(features[run], axis=0) for run in part.runs])
    highest = np.fmax.reduce([np.fmax.reduce(features[run], axis=0) for run in part.runs])
    low, high = (np.nan_to_num((extreme - part.scaling.center) / part.scaling.scale) for extreme in (lowest, highest))
    more = beyond * (high - low)
    return Bounds(low - more, high + more)


def _inside(rows: int, fitted: tuple[slice, ...]) -> NDArray[np.bool_]:
    inside = np.zeros(rows, np.bool_)
    for part in fitted:
        inside[part] = True
    return inside


def _responding_networks(
    rows: list[TrainingRows],
    sizes: Sequence[int],
    seed: int,
    epochs: int,
    start: Network | None,
    on_step: OnStep | None,
) -> list[Network]:
    """Fit the networks, restarting from other weights when a layer has died (its ReLU outputs 0 for every row)."""
    networks = fit_networks(rows, sizes, seed=seed, epochs=epochs, start=start, on_step=on_step)
    for again in range(1, _MAX_STARTS):
        if start is not None or all(map(_responds_to_input, networks, rows)):
            break
        networks = fit_networks(rows, sizes, seed=(seed, again), epochs=epochs, on_step=on_step)
    return networks


def _responds_to_input(network: Network, rows: TrainingRows) -> bool:
    """Return whether the output depends on the input; always true for identical rows."""
    taken = rows.take(slice(None, None, -(-len(rows.features) // _MAX_SAMPLE)))
    counted = taken.scaled[taken.loss_mask.any(axis=1)].astype(np.float64)
    return bool(np.ptp(counted, axis=0).max() == 0 or np.ptp(network.reconstruct(counted), axis=0).max() > 0)
