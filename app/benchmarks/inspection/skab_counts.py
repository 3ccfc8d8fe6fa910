"""True and false alarms counted over files together: F1, false-alarm rate, missed-alarm rate, their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.inspection.skab_files import SkabFile

_RESAMPLES = 1000

Labels = NDArray[np.bool_]
Counts = NDArray[np.float64]
"""True alarms, false alarms, misses and true silences: float64 ``(files, 4)``."""


def counts(alarms: Sequence[Labels], files: Sequence[SkabFile]) -> Counts:
    """Count the alarms of the rows that were not fitted on, file by file."""
    pairs = zip(alarms, (file.later for file in files), strict=True)
    return np.array(
        [
            [
                np.count_nonzero(found)
                for found in (alarm & anomaly, alarm & ~anomaly, ~alarm & anomaly, ~alarm & ~anomaly)
            ]
            for alarm, anomaly in pairs
        ],
        np.float64,
    )


def f1(counted: Counts) -> float:
    """Return F1 over all files together."""
    true, false, missed, _ = counted.sum(axis=0)
    return float(2 * true / (2 * true + false + missed))


def false_alarm_rate(counted: Counts) -> float:
    """Return the share of normal rows with an alarm."""
    _, false, _, silent = counted.sum(axis=0)
    return float(false / (false + silent))


def missed_alarm_rate(counted: Counts) -> float:
    """Return the share of anomalous rows without an alarm."""
    true, _, missed, _ = counted.sum(axis=0)
    return float(missed / (missed + true))


def interval(runs: Sequence[Counts], rate: Callable[[Counts], float]) -> tuple[float, float]:
    """Return a 95 % interval of the mean over runs when the files are drawn again and again (bootstrap percentiles)."""
    rng = np.random.default_rng(0)
    files = len(runs[0])
    means = []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(0, files, files)
        means.append(fmean(rate(counted[drawn]) for counted in runs))
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
