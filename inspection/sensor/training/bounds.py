"""Bounds of what a network rebuilds: the range of the rows it was fitted to.

Between and beyond its training rows a network of ReLUs goes on in straight lines: values far outside, along a line that
normal rows lie on, would be rebuilt and score as normal. A first layer that cuts values off at the range of the
training rows keeps what is rebuilt inside that range, so that the error grows with the distance from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network

_FARTHEST = 1000.0
"""Of the bounds, on the scaled axis: sums with larger numbers would cost float32 weights the digits of usual values."""

Vector = NDArray[np.float64]


def bounded(network: Network, lowest: Vector, highest: Vector) -> Network:
    """Return a network that rebuilds within bounds what ``network`` rebuilds, and cuts values off beyond.

    Its first layer is ``ReLU(x - lowest)`` and ``ReLU(x - highest)``; their difference, plus the lowest, is ``x`` cut
    off at both.

    Args:
        network: the autoencoder; within the bounds both give the same but for rounding.
        lowest: float64 ``(features,)``, on the scaled axis.
        highest: float64 ``(features,)``.
    """
    low, high = (np.clip(bound, -_FARTHEST, _FARTHEST).astype(np.float32) for bound in (lowest, highest))
    units = np.eye(len(low), dtype=np.float32)
    first = network.weights[0]
    moved = network.biases[0] + low.astype(np.float64) @ first.astype(np.float64)
    return Network(
        (np.hstack([units, units]), np.vstack([first, -first]), *network.weights[1:]),
        (-np.concatenate([low, high]), moved.astype(np.float32), *network.biases[1:]),
    )


def unbounded(network: Network) -> Network:
    """Return the network that ``bounded`` was given; one without such a first layer as it is."""
    inputs = network.weights[0].shape[0]
    units = np.eye(inputs, dtype=np.float32)
    if not np.array_equal(network.weights[0], np.hstack([units, units])):
        return network
    kept, cut = np.vsplit(network.weights[1], 2)
    if not np.array_equal(kept, -cut):
        return network
    lowest = -network.biases[0][:inputs]
    bias = network.biases[1] - lowest.astype(np.float64) @ kept.astype(np.float64)
    return Network((kept, *network.weights[2:]), (bias.astype(np.float32), *network.biases[2:]))


def network_of_one(expected: float) -> Network:
    """Return the network of a single feature, which rebuilds one value: no layer is narrower than one.

    Any other would rebuild every value, and every fault.

    Args:
        expected: the value, on the scaled axis.
    """
    nothing = np.zeros((1, 1), np.float32)
    return Network((nothing, nothing), (np.zeros(1, np.float32), np.array([expected], np.float32)))
