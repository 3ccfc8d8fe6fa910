"""The autoencoder: Linear → ReLU layers, without ReLU after the last; NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidInput

MIN_FIRST, MAX_FIRST = 8, 64
MIN_BOTTLENECK, MAX_BOTTLENECK = 2, 16
MAX_LAYERS = 32
"""Of a network in a model file."""


@dataclass(frozen=True)
class Network:
    """Weights of an autoencoder.

    Attributes:
        weights: one per layer, float32 ``(inputs, outputs)``: transposed relative to torch.
        biases: one per layer, float32 ``(outputs,)``.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @cached_property
    def folded(self) -> tuple[NDArray[np.float64], ...]:
        """Weights and bias of each layer as one float64 matrix, converted once.

        ``(inputs + 1, outputs + 1)``, of the last layer ``(inputs + 1, outputs)``: a 1 appended to the values of a row
        multiplies the bias and is passed on to the next layer.
        """
        folded = []
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            inputs, outputs = weight.shape
            matrix = np.zeros((inputs + 1, outputs + (layer < len(self.weights) - 1)))
            matrix[:inputs, :outputs], matrix[inputs, :outputs] = weight, bias
            matrix[inputs, outputs:] = 1.0
            folded.append(matrix)
        return tuple(folded)

    @cached_property
    def _layers(self) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
        """Weights and bias of each layer in float64: views of ``folded``."""
        return tuple(
            (matrix[:-1, : len(bias)], matrix[-1, : len(bias)])
            for matrix, bias in zip(self.folded, self.biases, strict=True)
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values in each layer, input and output included."""
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
    """Return the sizes of all layers: the hidden ones down to the bottleneck, and mirrored.

    Args:
        features: input and output dimension.
        hidden: sizes from the first hidden layer to the bottleneck, as ``(16, 4)`` for ``d-16-4-16-d``; None takes the
            number of features (8 to 64), then half of it (2 to 16, as a single ReLU can die), but fewer than there are.

    Raises:
        InvalidInput: ``sensor-bottleneck`` when no layer is narrower than the input: that rebuilds faults too.
    """
    if not hidden:
        hidden = (
            min(max(features, MIN_FIRST), MAX_FIRST),
            min(max(features // 2, MIN_BOTTLENECK), MAX_BOTTLENECK, max(features - 1, 1)),
        )
    elif min(hidden) >= features:
        raise InvalidInput("sensor-bottleneck", units=min(hidden), features=features)
    return (features, *hidden, *reversed(hidden[:-1]), features)
