"""How well groups of near duplicates are the parts that images show, and what grouping does to a stated rate.

``python -m app.benchmarks.inspection.grouping_study DATA groups [SET ...]`` prints of each set the number of groups for
several limits of the correlation, and for magnetic tiles, whose names show the tile, the adjusted Rand index (Hubert
and Arabie 1985) of groups and tiles.

``python -m app.benchmarks.inspection.grouping_study DATA rates [SET ...]`` prints the false-alarm rate on left-out
parts as ``imageflow bench calibration`` measures it, with groups and with each image on its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.inspection.calibration import DATA_SETS, calibrate, good_parts, parts_of, stored_features
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.training.near_duplicates import group_count, image_descriptors, linked_groups
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.settings import TrainingSettings

LIMITS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
_GROUPINGS: tuple[Literal["none", "similar"], ...] = ("none", "similar")


def group_rows(data: Path, name: str) -> Iterable[str]:
    """Return a table row for each limit of the correlation."""
    files, objects = good_parts(data, name)
    configuration = Configuration()
    tracker = ProgressTracker(1.0, None, None)
    training_set, store = stored_features(files, TrainingSettings(), tracker)
    descriptors = image_descriptors(store, np.arange(len(training_set.files)), configuration.whitening)
    for limit in LIMITS:
        groups = linked_groups(descriptors, limit)
        index = ""
        if objects is not None:
            parts = parts_of(store, training_set, configuration, objects, tracker)
            index = f"{adjusted_rand_index(groups, parts):.3f}"
        yield f"| {name} | {len(groups)} | {limit} | {group_count(groups)} | {index} |"


def rate_rows(data: Path, name: str) -> Iterable[str]:
    """Return a table row with groups and one without."""
    files, objects = good_parts(data, name)
    for grouping in _GROUPINGS:
        found = calibrate(files, TrainingSettings(grouping=grouping), objects=objects)
        rates = found.rates[TrainingSettings().threshold]
        yield (
            f"| {name} | {found.parts} | {grouping} | {len(rates)} | {np.mean(rates):.3f} | {min(rates):.3f}"
            f" | {max(rates):.3f} |"
        )


def adjusted_rand_index(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return the adjusted Rand index of two divisions of the same things, each numbered from 0."""
    table = np.zeros((group_count(first), group_count(second)), np.int64)
    np.add.at(table, (first, second), 1)
    together, rows, columns = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    expected = rows * columns / _pairs(np.array([len(first)]))
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _pairs(counts: NDArray[np.int64]) -> float:
    return float((counts * (counts - 1) // 2).sum())


def main(arguments: Sequence[str]) -> int:
    """Print the table of the sets named after the data folder and ``groups`` or ``rates``; of all without a name."""
    data, table, *names = arguments
    heads = {
        "groups": "| set | images | correlation | groups | adjusted Rand index |",
        "rates": "| set | parts | grouping | halves | mean | lowest | highest |",
    }
    rows = {"groups": group_rows, "rates": rate_rows}[table]
    sys.stdout.write(f"{heads[table]}\n{'| --- ' * (heads[table].count('|') - 1)}|\n")
    for name in names or DATA_SETS:
        for row in rows(Path(data), name):
            sys.stdout.write(row + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
