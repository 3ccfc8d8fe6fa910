"""Whether a stated rate of false alarms holds on good images that a model has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.figures import Figure
from app.benchmarks.inspection.splits import tile_objects
from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import network_area
from inspection.anomaly.methods.registry import find_method
from inspection.anomaly.threshold.policy import PolicyName, ThresholdPolicy
from inspection.anomaly.training.fitting import FeatureStore, held_out_scores
from inspection.anomaly.training.manifest_builder import build_preprocessing
from inspection.anomaly.training.near_duplicates import held_out_groups, near_duplicate_groups
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.settings import TrainingSettings
from inspection.anomaly.training.training_set import TrainingSet, scan_images
from inspection.imaging.datasets import image_files

SPLITS = 20
_LOWEST, _HIGHEST = 0.025, 0.075
DATA_SETS = {
    "tile": ("magnetic tiles", ("magnetic_tile/good",)),
    "casting": ("castings", ("casting/train/ok_front", "casting/test/ok_front")),
    "plate": ("plates", ("plate/train/good", "plate/test/good")),
    "juice": ("juice bottles", ("juice/train/good", "juice/test/good")),
    "glassfiber": ("glass-fibre plies", ("glassfiber/train/good", "glassfiber/test/good")),
}
"""Name in the figures → title, folders of the good images."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the splits of one data set gave; one entry a split.

    Attributes:
        rates: rule → false-alarm rate on the left-out images.
        held_out_excess: how much higher the held-out scores of the fit part lie than those of left-out images by the
            final model, as a share: fold models know fewer images.
        images: good images in all.
        parts: parts they show, or groups of near duplicates where the parts are not known.
    """

    rates: dict[PolicyName, tuple[float, ...]]
    held_out_excess: tuple[float, ...]
    images: int
    parts: int


def measure(
    data: Path, *, splits: int = SPLITS, on_progress: Progress = lambda _title, _fraction: None
) -> list[Figure]:
    """Measure the calibration of the default configuration on every data set.

    Args:
        data: folder of the sets.
        splits: how many random splits of each.
        on_progress: called with what is being done and the fraction that is done.

    Raises:
        NotFound: ``folder-missing`` when a data set is not there.
    """
    figures: list[Figure] = []
    for place, (name, (title, _)) in enumerate(DATA_SETS.items()):
        files, objects = good_parts(data, name)

        def show(done: int, place: int = place, title: str = title) -> None:
            on_progress(f"Calibration on {title}", (place + done / splits) / len(DATA_SETS))

        figures += figures_of(name, title, calibrate(files, objects=objects, splits=splits, on_split=show))
    return figures


def good_parts(data: Path, name: str) -> tuple[list[Path], list[tuple[Path, ...]] | None]:
    """Return the good images of a set, and those of each part; None where the parts are not known.

    Raises:
        NotFound: ``folder-missing``.
    """
    files = [file for folder in DATA_SETS[name][1] for file in image_files(data / folder)]
    return files, tile_objects(files) if name == "tile" else None


def calibrate(
    files: Sequence[Path],
    settings: TrainingSettings | None = None,
    *,
    objects: Sequence[Sequence[Path]] | None = None,
    splits: int = SPLITS,
    on_split: Callable[[int], None] = lambda _: None,
) -> Calibration:
    """Fit on a random half of the good parts, choose the threshold as a training does, and judge the other half.

    The images of one part are in one half, so that the rate is that of new parts. The features of all images are
    computed once. Only the scale of the images is common to all splits (it is that of the whole data set); whitening,
    bank, groups, folds and threshold come from the fit part alone.

    Args:
        files: images of good parts.
        settings: of the training; the default configuration without.
        objects: the images of each part; None takes groups of near duplicates for parts.
        splits: how many splits.
        on_split: called with the number of splits that are done.
    """
    choice = settings or TrainingSettings()
    configuration = choice.overruled(Configuration())
    tracker = ProgressTracker(float(len(files)), None, None)
    method = find_method(choice.method, choice.method_settings(configuration))
    training_set, store = stored_features(files, choice, tracker)
    count = len(training_set.files)
    part_of = parts_of(store, training_set, configuration, objects, tracker)
    rules: tuple[PolicyName, ...] = ("quantile", "tail")
    rates: dict[PolicyName, list[float]] = {rule: [] for rule in rules}
    excess: list[float] = []
    for split in range(splits):
        inside = random_half(part_of, split)
        fitted, left = np.flatnonzero(inside), np.flatnonzero(~inside)
        groups = np.arange(len(fitted))
        if choice.grouping == "similar":
            groups = held_out_groups(near_duplicate_groups(store, fitted, configuration.whitening, tracker.check))
        held_out = held_out_scores(method, store, fitted.tolist(), groups, choice.folds, choice.seed, tracker)
        core = method.fit(store, fitted.tolist(), tracker.check)
        new = np.array([store.score(core, index) for index in left.tolist()])
        for rule in rules:
            chosen = ThresholdPolicy(name=rule, false_alarm_rate=choice.false_alarm_rate).choose(
                held_out, groups=groups.tolist()
            )
            rates[rule].append(float((new > chosen.value).mean()))
        excess.append(float(np.mean(held_out) / new.mean() - 1))
        on_split(split + 1)
    return Calibration(
        {rule: tuple(found) for rule, found in rates.items()}, tuple(excess), count, int(part_of.max()) + 1
    )


def stored_features(
    files: Sequence[Path], settings: TrainingSettings, tracker: ProgressTracker
) -> tuple[TrainingSet, FeatureStore]:
    """Return images of good parts and their features, as a training computes them."""
    configuration = settings.overruled(Configuration())
    training_set = scan_images(files, tracker, 1)
    method = find_method(settings.method, settings.method_settings(configuration))
    area = network_area(training_set.sizes, configuration.side, aligned=method.aligned)
    store = FeatureStore(
        find_backbone(configuration.backbone),
        training_set,
        build_preprocessing(training_set, area, aligned=method.aligned),
        tracker,
        seed=settings.seed,
        threads=settings.threads,
        described=True,
    )
    return training_set, store


def random_half(part_of: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Return which images are in the first half: parts in random order until half of the images are reached.

    Args:
        part_of: ``(n,)``, the part of each image, numbered from 0.
        seed: of the order.
    """
    order = np.random.default_rng(seed).permutation(int(part_of.max()) + 1)
    sizes = np.bincount(part_of)[order]
    return np.isin(part_of, order[np.cumsum(sizes) - sizes < len(part_of) // 2])


def parts_of(
    store: FeatureStore,
    training_set: TrainingSet,
    configuration: Configuration,
    objects: Sequence[Sequence[Path]] | None,
    tracker: ProgressTracker,
) -> NDArray[np.int64]:
    """Return the part of each image, numbered from 0; groups of near duplicates where the parts are not known."""
    if objects is None:
        return near_duplicate_groups(
            store, np.arange(len(training_set.files)), configuration.whitening, tracker.check
        )  # fmt: skip
    number = {path: place for place, images in enumerate(objects) for path in images}
    return np.array([number[path] for path, _ in training_set.files])


def figures_of(name: str, title: str, found: Calibration) -> list[Figure]:
    """Return the figures of one data set."""
    default = TrainingSettings()
    rates = found.rates[default.threshold]
    mean, other = float(np.mean(rates)), float(np.mean(found.rates["tail"]))
    stated = f"{default.false_alarm_rate:.0%}"
    splits = f"{len(rates)} random halves of {found.images} images of {found.parts} good {title}"
    return [
        Figure(
            name=f"{name}_false_alarm_rate_mean",
            value=mean,
            what=f"false alarms on left-out good {title} at a stated {stated}, mean over {splits}",
            goal="0.025 to 0.075",
            met=_LOWEST <= mean <= _HIGHEST,
            note=f"lowest {min(rates):.3f}, highest {max(rates):.3f}; the scale of the images is common to all splits",
        ),
        Figure(
            name=f"{name}_false_alarm_rate_spread",
            value=float(np.std(rates)),
            what=f"standard deviation of that rate over {splits}",
            note="a threshold from so few images varies by about as much as a sample of so few images does",
        ),
        Figure(
            name=f"{name}_false_alarm_rate_tail_mean",
            value=other,
            what=f"the same mean with the rule tail in place of {default.threshold}",
        ),
        Figure(
            name=f"{name}_held_out_excess",
            value=float(np.mean(found.held_out_excess)),
            what=f"how much higher held-out scores lie than those of new good {title} by the final model, as a share",
            note="fold models know fewer images than the final one; the threshold is not corrected for it",
        ),
    ]
