"""Fitting autoencoders in NumPy: Adam by hand, several models side by side in one matrix product.

Small networks on small files: importing torch takes longer than this takes to train, and the station and the server
can do it without the training extra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling

BATCH = 1024
MAX_STEPS = 3000
MIN_EPOCHS, MAX_EPOCHS = 3, 300
LEARNING_RATE = 0.01
_DECAY = (0.9, 0.999)
_SMALL = 1e-8

_FARTHEST = 1e6
"""No value is further out on the scaled axis while weights are fitted, where float32 would overflow and spoil them."""

Matrix = NDArray[np.float32]
Chosen = slice | NDArray[np.int64]
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one model, ready to be fitted on.

    Attributes:
        scaled: float32 ``(n, features)``, gaps filled.
        counts: bool ``(n, features)``: what counts in the loss; not filled gaps, nor rows held out.
    """

    scaled: Matrix
    counts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """All rows of one model; they are scaled as they are taken, for models of one file share them.

    Attributes:
        features: float64 ``(n, features)``; NaN where missing.
        scaling: of this model.
        fitted: bool ``(n,)``, which rows it is fitted on.
    """

    features: NDArray[np.float64]
    scaling: Scaling
    fitted: NDArray[np.bool_]

    def take(self, chosen: Chosen) -> Rows:
        """Return the chosen rows."""
        scaled, known = self.scaling.apply(self.features[chosen])
        counts = known & self.fitted[chosen, None]
        return Rows(np.clip(scaled, -_FARTHEST, _FARTHEST).astype(np.float32), counts)


def default_epochs(rows: int) -> int:
    """Return how many times to go through ``rows``: 300 for small files, fewer for large ones."""
    return min(max(MAX_STEPS // -(-rows // BATCH), MIN_EPOCHS), MAX_EPOCHS)


def fit_networks(
    models: Sequence[TrainingRows],
    sizes: Sequence[int],
    *,
    seed: int | tuple[int, int],
    epochs: int,
    start: Network | None = None,
    on_step: OnStep | None = None,
) -> list[Network]:
    """Train one autoencoder for each set of rows, all from the same first weights, side by side.

    Adam (Kingma and Ba 2015) on the mean squared error, batches of 1,024 rows, the learning rate falling to a tenth
    along half a cosine. The first weights are drawn as ``torch.nn.Linear`` draws its own. Same rows, seed and
    libraries: same weights.

    Args:
        models: rows of each, as many for each.
        sizes: values in each layer, input and output included.
        seed: of the first weights and of the order of rows.
        epochs: passes over the rows.
        start: weights to begin with instead, of these sizes.
        on_step: told the steps done and all.
    """
    rng = np.random.default_rng(seed)
    first = start or _first_weights(sizes, rng)
    weights = [np.repeat(matrix[None], len(models), axis=0) for matrix in first.weights]
    biases = [np.repeat(bias[None, None], len(models), axis=0) for bias in first.biases]
    optimiser = _Adam([*weights, *biases])
    count = len(models[0].features)
    starts = range(0, count, BATCH)
    steps = epochs * len(starts)
    # Scaled once only where one batch holds them all: for large files that would be gigabytes.
    whole = _side_by_side(models, slice(None)) if len(starts) == 1 else None
    done = 0
    for _ in range(epochs):
        order = np.arange(count) if whole else rng.permutation(count)
        for begin in starts:
            rows, share = whole or _side_by_side(models, order[begin : begin + BATCH])
            gradients = _gradients(weights, biases, rows, share)
            rate = LEARNING_RATE * (0.55 + 0.45 * np.cos(np.pi * done / steps))
            optimiser.step(gradients, float(rate))
            done += 1
            if on_step is not None:
                on_step(done, steps)
    return [
        Network(tuple(matrix[index].copy() for matrix in weights), tuple(bias[index, 0].copy() for bias in biases))
        for index in range(len(models))
    ]


def gradient_step(network: Network, rows: Rows, rate: float) -> Network:
    """Return the network after one step down the slope of the mean squared error."""
    weights = [matrix[None] for matrix in network.weights]
    biases = [bias[None, None] for bias in network.biases]
    gradients = _gradients(weights, biases, rows.scaled[None], _share(rows.counts[None]))
    layers = len(weights)
    return Network(
        tuple(
            np.asarray(matrix - rate * slope[0], np.float32)
            for matrix, slope in zip(network.weights, gradients[:layers], strict=True)
        ),
        tuple(
            np.asarray(bias - rate * slope[0, 0], np.float32)
            for bias, slope in zip(network.biases, gradients[layers:], strict=True)
        ),
    )


def _first_weights(sizes: Sequence[int], rng: np.random.Generator) -> Network:
    weights, biases = [], []
    for inputs, outputs in pairwise(sizes):
        bound = inputs**-0.5
        weights.append(rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32))
        biases.append(rng.uniform(-bound, bound, outputs).astype(np.float32))
    return Network(tuple(weights), tuple(biases))


def _side_by_side(models: Sequence[TrainingRows], chosen: Chosen) -> tuple[Matrix, Matrix]:
    """Return the chosen rows of each model and what their errors count, ``(models, n, features)``."""
    taken = [model.take(chosen) for model in models]
    return np.stack([rows.scaled for rows in taken]), _share(np.stack([rows.counts for rows in taken]))


def _share(counts: NDArray[np.bool_]) -> Matrix:
    """Return what the error of each value counts in the slope of the mean squared error."""
    return np.asarray(counts * (2 / np.maximum(counts.sum(axis=(1, 2), keepdims=True), 1)), np.float32)


def _gradients(weights: list[Matrix], biases: list[Matrix], rows: Matrix, share: Matrix) -> list[Matrix]:
    """Return the gradients of the weights, then of the biases, for rows ``(models, n, features)``."""
    layers = [rows]
    last = len(weights) - 1
    for layer, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        out = layers[-1] @ matrix + bias
        layers.append(np.maximum(out, 0, out=out) if layer < last else out)
    slope = (layers[-1] - rows) * share
    ones = np.ones((1, rows.shape[1]), np.float32)
    of_weights: list[Matrix] = [slope] * len(weights)
    of_biases: list[Matrix] = [slope] * len(weights)
    for layer in range(last, -1, -1):
        of_weights[layer] = layers[layer].transpose(0, 2, 1) @ slope
        # A product with ones: NumPy's own sum over this axis takes a quarter of the training.
        of_biases[layer] = ones @ slope
        if layer:
            slope = (slope @ weights[layer].transpose(0, 2, 1)) * (layers[layer] > 0)
    return [*of_weights, *of_biases]


class _Adam:
    def __init__(self, parameters: list[Matrix]) -> None:
        self._parameters = parameters
        self._mean = [np.zeros_like(parameter) for parameter in parameters]
        self._square = [np.zeros_like(parameter) for parameter in parameters]
        self._steps = 0

    def step(self, gradients: list[Matrix], rate: float) -> None:
        self._steps += 1
        first, second = _DECAY
        scale = rate / (1 - first**self._steps)
        root = (1 - second**self._steps) ** -0.5
        for place, gradient in enumerate(gradients):
            self._mean[place] = first * self._mean[place] + (1 - first) * gradient
            self._square[place] = second * self._square[place] + (1 - second) * gradient * gradient
            self._parameters[place] -= scale * self._mean[place] / (np.sqrt(self._square[place]) * root + _SMALL)
