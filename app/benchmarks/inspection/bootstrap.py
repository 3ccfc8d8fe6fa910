"""95 % intervals where photographs of one part belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

REPLICATES = 2000
_LEVELS = (0.025, 0.975)
Scores = NDArray[np.float64]


def object_interval(
    good: Sequence[Sequence[float] | Scores],
    defects: Sequence[Sequence[float] | Scores],
    statistic: Callable[[Scores, Scores], float],
    replicates: int = REPLICATES,
) -> tuple[float, float]:
    """Return the 95 % interval of a figure when other parts had been photographed.

    Percentile bootstrap of whole objects (a cluster bootstrap, Davison and Hinkley 1997, section 3.8): photographs of
    one part rise and fall together, and drawing them one by one would claim far more certainty than there is.

    Args:
        good: scores of each good object's photographs; where several models gave them, ``(photographs, models)``.
        defects: scores of each defective object's photographs.
        statistic: the figure, from all good and all defective scores.
        replicates: drawn sets of objects; always the same ones.
    """
    generator = np.random.default_rng(0)
    values = [statistic(_drawn(generator, good), _drawn(generator, defects)) for _ in range(replicates)]
    low, high = np.quantile(values, _LEVELS)
    return float(low), float(high)


def _drawn(generator: np.random.Generator, objects: Sequence[Sequence[float] | Scores]) -> Scores:
    chosen = generator.integers(0, len(objects), len(objects))
    return np.concatenate([np.asarray(objects[index], np.float64) for index in chosen])
