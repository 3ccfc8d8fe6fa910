"""Rows of a made-up machine: three sensors that move together, and noise."""

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("speed", "current", "temperature")


def machine_rows(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return float64 ``(count, 3)``."""
    rng = np.random.default_rng(seed)
    load = rng.normal(size=count)
    noise = rng.normal(scale=0.1, size=(count, 3))
    return np.stack([100 + 5 * load, 2 + 0.4 * load, 60 - 2 * load], axis=1) + noise * [5, 0.4, 2]
