"""Generated series of one temperature, for tests of models of a series."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorTraining, train

PERIOD_S = 600.0
DAY = 144
BEGIN_S = 1_700_006_400.0


def temperature(days: int, seed: int = 0, first_day: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values ``(rows, 1)`` of a row each ten minutes, with a daily course, and their seconds ``(rows,)``."""
    rng = np.random.default_rng([seed, first_day])
    place = first_day * DAY + np.arange(days * DAY)
    load = np.repeat(rng.normal(size=len(place) // 12), 12)
    smooth = np.convolve(np.concatenate([np.zeros(5), load]), np.ones(6) / 6, mode="valid")
    values = 60 + 4 * np.sin(2 * np.pi * place / DAY) + smooth + rng.normal(scale=0.2, size=len(place))
    return values[:, None], np.asarray(BEGIN_S + place * PERIOD_S, np.float64)


@cache
def series_model() -> SensorModel:
    """Return a model of four weeks of the temperature."""
    values, seconds = temperature(28)
    settings = SensorTraining(name="Oil", window=0)
    return train(values, ("oil",), settings, period_s=PERIOD_S, seconds=seconds).model
