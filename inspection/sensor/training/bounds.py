"""Bounds of what a network rebuilds: the range of the rows it was fitted to.

Between and beyond its training rows a network of ReLUs goes on in straight lines: values far outside, along a line that
normal rows lie on, would be rebuilt and score as normal. A first layer that cuts values off at the range of the
training rows keeps what is rebuilt inside that range, so that the error grows with the distance from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network

_FARTHEST = 1000.0
"""Bounds farther away, on the scaled axis, are none: sums with such numbers would cost float32 weights the digits of
usual values, and a range of a thousand usual deviations bounds nothing."""
_LEAST_FEATURES = 2
_CHANGED = 0.25
"""By how much further training may have changed the weights, 0 and 1, by which a layer of bounds is known."""

Matrix32 = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of features, on the scaled axis.

    Attributes:
        lowest: float64 ``(features,)``; minus infinity where there is no bound.
        highest: float64 ``(features,)``; infinity where there is no bound.
    """

    lowest: Vector
    highest: Vector


def bounded(network: Network, bounds: Bounds) -> Network:
    """Return a network that rebuilds within bounds what ``network`` rebuilds, and cuts values off beyond.

    Its first layer is ``ReLU(x - lowest)`` and ``ReLU(x - highest)``; their difference, plus the lowest, is ``x`` cut
    off at both. Without bounds it is ``ReLU(x)`` and ``ReLU(-x)``, whose difference is ``x``.

    Args:
        network: the autoencoder; within the bounds both give the same but for rounding.
        bounds: of its features.
    """
    has_bounds = np.maximum(np.abs(bounds.lowest), np.abs(bounds.highest)) <= _FARTHEST
    low, high = (np.where(has_bounds, bound, 0.0).astype(np.float32) for bound in (bounds.lowest, bounds.highest))
    first = network.weights[0]
    moved = network.biases[0] + low.astype(np.float64) @ first.astype(np.float64)
    return Network(
        (_layer(has_bounds), np.vstack([first, -first]), *network.weights[1:]),
        (-np.concatenate([low, high]), moved.astype(np.float32), *network.biases[1:]),
    )


def bounds_of(network: Network) -> Bounds | None:
    """Return the bounds of a network that ``bounded`` gave, also after some further training; None of any other."""
    weight, bias = network.weights[0], network.biases[0]
    inputs = len(weight)
    if inputs < _LEAST_FEATURES or weight.shape[1] != 2 * inputs:
        return None
    has_bounds = np.diag(weight[:, inputs:]) > 0
    if np.abs(weight - _layer(has_bounds)).max() > _CHANGED:
        return None
    low, high = -bias[:inputs].astype(np.float64), -bias[inputs:].astype(np.float64)
    return Bounds(np.where(has_bounds, low, -np.inf), np.where(has_bounds, high, np.inf))


def unbounded(network: Network) -> Network:
    """Return the network that ``bounded`` was given; one without bounds as it is."""
    if bounds_of(network) is None:
        return network
    inputs = len(network.weights[0])
    # Within the bounds of the first layer its first half alone answers.
    units, offsets = network.weights[0][:, :inputs].astype(np.float64), network.biases[0][:inputs].astype(np.float64)
    second = network.weights[1][:inputs].astype(np.float64)
    bias = network.biases[1] + offsets @ second
    return Network(
        ((units @ second).astype(np.float32), *network.weights[2:]), (bias.astype(np.float32), *network.biases[2:])
    )


def network_of_one(expected: float) -> Network:
    """Return the network of a single feature, which rebuilds one value: no layer is narrower than one.

    Any other would rebuild every value, and every fault.

    Args:
        expected: the value, on the scaled axis.
    """
    nothing = np.zeros((1, 1), np.float32)
    return Network((nothing, nothing), (np.zeros(1, np.float32), np.array([expected], np.float32)))


def _layer(has_bounds: NDArray[np.bool_]) -> Matrix32:
    """Return the weights of a layer of bounds, float32 ``(features, 2 * features)``."""
    units = np.eye(len(has_bounds), dtype=np.float32)
    return np.hstack([units, units * np.where(has_bounds, 1, -1).astype(np.float32)])
