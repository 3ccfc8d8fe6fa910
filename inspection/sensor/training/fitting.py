"""Training of autoencoders in NumPy with Adam, several models batched in one matrix product.

For these small networks importing torch takes longer than the training, and station and server can train without the
extra ``train``.
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
_EPSILON = 1e-8

_MAX_SCALED = 1e6
"""Scaled values are clipped to this magnitude during training, so that float32 does not overflow."""

Matrix = NDArray[np.float32]
Selection = slice | NDArray[np.int64]
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """Scaled rows of one model.

    Attributes:
        scaled: float32 ``(n, features)``, missing values imputed.
        loss_mask: bool ``(n, features)``: values in the loss; excludes imputed values and held-out rows.
    """

    scaled: Matrix
    loss_mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """All rows of one model, scaled batch by batch, as the models of one file share the unscaled rows.

    Attributes:
        features: float64 ``(n, features)``; NaN where missing.
        scaling: of this model.
        fitted: bool ``(n,)``, the rows the model is fitted on.
    """

    features: NDArray[np.float64]
    scaling: Scaling
    fitted: NDArray[np.bool_]

    def take(self, selection: Selection) -> Rows:
        """Return the selected rows, scaled."""
        scaled, known = self.scaling.apply(self.features[selection])
        loss_mask = known & self.fitted[selection, None]
        return Rows(np.clip(scaled, -_MAX_SCALED, _MAX_SCALED).astype(np.float32), loss_mask)


def default_epochs(rows: int) -> int:
    """Return the number of epochs for ``rows``: 300 for small files, fewer for large ones."""
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
    """Train one autoencoder per set of rows, batched, all from the same initial weights.

    Adam (Kingma and Ba 2015) on the mean squared error, batches of 1,024 rows, cosine decay of the learning rate to a
    tenth. Initial weights are drawn as by ``torch.nn.Linear``. The same rows, seed and library versions give the same
    weights.

    Args:
        models: rows of each model, of equal number.
        sizes: number of values in each layer, input and output included.
        seed: of the initial weights and of the shuffling.
        epochs: passes over the rows.
        start: initial weights of these sizes; None draws them.
        on_step: called with the steps done and the total.
    """
    rng = np.random.default_rng(seed)
    first = start or _initial_weights(sizes, rng)
    weights = [np.repeat(matrix[None], len(models), axis=0) for matrix in first.weights]
    biases = [np.repeat(bias[None, None], len(models), axis=0) for bias in first.biases]
    optimiser = _Adam([*weights, *biases])
    count = len(models[0].features)
    starts = range(0, count, BATCH)
    steps = epochs * len(starts)
    # Scaled in advance only when one batch holds all rows: for large files that would take gigabytes.
    whole = _batched(models, slice(None)) if len(starts) == 1 else None
    done = 0
    for _ in range(epochs):
        order = np.arange(count) if whole else rng.permutation(count)
        for begin in starts:
            rows, loss_weights = whole or _batched(models, order[begin : begin + BATCH])
            gradients = _gradients(weights, biases, rows, loss_weights)
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
    """Return the network after one step of gradient descent on the mean squared error."""
    weights = [matrix[None] for matrix in network.weights]
    biases = [bias[None, None] for bias in network.biases]
    gradients = _gradients(weights, biases, rows.scaled[None], _loss_weights(rows.loss_mask[None]))
    layers = len(weights)
    return Network(
        tuple(
            np.asarray(matrix - rate * gradient[0], np.float32)
            for matrix, gradient in zip(network.weights, gradients[:layers], strict=True)
        ),
        tuple(
            np.asarray(bias - rate * gradient[0, 0], np.float32)
            for bias, gradient in zip(network.biases, gradients[layers:], strict=True)
        ),
    )


def _initial_weights(sizes: Sequence[int], rng: np.random.Generator) -> Network:
    weights, biases = [], []
    for inputs, outputs in pairwise(sizes):
        bound = inputs**-0.5
        weights.append(rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32))
        biases.append(rng.uniform(-bound, bound, outputs).astype(np.float32))
    return Network(tuple(weights), tuple(biases))


def _batched(models: Sequence[TrainingRows], selection: Selection) -> tuple[Matrix, Matrix]:
    """Return the selected rows of each model and the loss weights of their errors, ``(models, n, features)``."""
    taken = [model.take(selection) for model in models]
    return np.stack([rows.scaled for rows in taken]), _loss_weights(np.stack([rows.loss_mask for rows in taken]))


def _loss_weights(loss_mask: NDArray[np.bool_]) -> Matrix:
    """Return the factor of each error in the gradient of the mean squared error."""
    return np.asarray(loss_mask * (2 / np.maximum(loss_mask.sum(axis=(1, 2), keepdims=True), 1)), np.float32)


def _gradients(weights: list[Matrix], biases: list[Matrix], rows: Matrix, loss_weights: Matrix) -> list[Matrix]:
    """Return the gradients of the weights, then of the biases, for rows ``(models, n, features)``."""
    layers = [rows]
    last = len(weights) - 1
    for layer, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        out = layers[-1] @ matrix + bias
        layers.append(np.maximum(out, 0, out=out) if layer < last else out)
    gradient = (layers[-1] - rows) * loss_weights
    ones = np.ones((1, rows.shape[1]), np.float32)
    of_weights: list[Matrix] = [gradient] * len(weights)
    of_biases: list[Matrix] = [gradient] * len(weights)
    for layer in range(last, -1, -1):
        of_weights[layer] = layers[layer].transpose(0, 2, 1) @ gradient
        # A product with ones: NumPy's sum over this axis would take a quarter of the training time.
        of_biases[layer] = ones @ gradient
        if layer:
            gradient = (gradient @ weights[layer].transpose(0, 2, 1)) * (layers[layer] > 0)
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
            self._parameters[place] -= scale * self._mean[place] / (np.sqrt(self._square[place]) * root + _EPSILON)
