"""The autoencoder's arithmetic: Linear → ReLU layers, none after the last; NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LEAST_FIRST, MOST_FIRST = 8, 64
LEAST_BOTTLENECK, MOST_BOTTLENECK = 2, 16


@dataclass(frozen=True)
class Network:
    """Weights of an autoencoder.

    Attributes:
        weights: one per layer, float32 ``(inputs, outputs)``: the transpose of what torch keeps.
        biases: one per layer, float32 ``(outputs,)``.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @cached_property
    def _layers(self) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
        """The same in float64, converted once and not with every row."""
        return tuple(
            (weight.astype(np.float64), bias.astype(np.float64))
            for weight, bias in zip(self.weights, self.biases, strict=True)
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Values in each layer, input and output included."""
        return (self.weights[0].shape[0], *(bias.shape[0] for bias in self.biases))

    def reconstruct(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x̂ for scaled rows ``(..., features)``, float64 throughout."""
        layers = self._layers
        out = rows
        for weight, bias in layers[:-1]:
            out = out @ weight
            out += bias
            np.maximum(out, 0.0, out=out)
        weight, bias = layers[-1]
        return np.asarray(out @ weight + bias)


def layer_sizes(features: int, hidden: Sequence[int] | None) -> tuple[int, ...]:
    """Return the sizes of all layers: the hidden ones down to the bottleneck, and the same way back.

    Args:
        features: input and output dimension.
        hidden: sizes from the first hidden layer to the bottleneck, as ``(16, 4)`` for ``d-16-4-16-d``; None takes
            as many as there are features (8 to 64), then half as many (2 to 16: a
            single ReLU can fall silent for good).
    """
    if not hidden:
        hidden = (
            min(max(features, LEAST_FIRST), MOST_FIRST),
            min(max(features // 2, LEAST_BOTTLENECK), MOST_BOTTLENECK),
        )
    return (features, *hidden, *reversed(hidden[:-1]), features)
