"""Small sensor models for tests of the server."""

from __future__ import annotations

from functools import cache

import httpx
import numpy as np
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorTraining, model_bytes, train

COLUMNS = ("speed", "current", "temperature")


def rows(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return rows of three related sensors."""
    rng = np.random.default_rng(seed)
    load, noise = rng.normal(size=(count, 1)), rng.normal(scale=0.1, size=(count, 3))
    found: NDArray[np.float64] = [1.2, 0.9, 1.1] + (load * [1, 1, -1] + noise) * [0.1, 0.05, 0.02]
    return found


@cache
def vector_model() -> SensorModel:
    """Return a model that judges each row alone."""
    return train(rows(400), COLUMNS, SensorTraining(name="Pump", epochs=40)).model


@cache
def window_model() -> SensorModel:
    """Return a model of windows of five rows."""
    return train(rows(400), COLUMNS, SensorTraining(name="Pump by windows", window=5, epochs=20, folds=2)).model


def upload(client: httpx.Client, model: SensorModel, **form: str) -> httpx.Response:
    """Upload a model."""
    return client.post("/anomaly/models", files={"file": ("model.npz", model_bytes(model))}, data=form)


def csv_text(values: NDArray[np.float64]) -> str:
    """Return rows as a table with a header."""
    lines = [",".join(COLUMNS), *(",".join(repr(value) for value in row) for row in values.tolist())]
    return "\n".join(lines) + "\n"
