"""How well one default configuration finds defects in sets of real images, with no setting for any of them.

What ``splits`` keeps for choosing is fitted on here, and what it keeps for the test is scored, with several seeds; the
figures are means over the seeds. Every scored part is new to the model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.figures import Figure, at_least, judged_figure
from app.benchmarks.inspection.bootstrap import Scores, object_interval
from app.benchmarks.inspection.image_sets import ImageSet, image_sets
from app.benchmarks.inspection.splits import files
from inspection.anomaly import AnomalyModel, TrainingSettings, load_bundle, train_images
from inspection.evaluation.masks import Marked, find_masks, read_masks
from inspection.imaging.files import read_image
from inspection.imaging.placement import FloatMap
from inspection.metrics import PixelScores, best_f1, image_auroc
from inspection.metrics.intervals import pixel_intervals
from inspection.metrics.ranking import ScoreCounts

SEEDS = 3
STATED_RATE = TrainingSettings().false_alarm_rate
NOTES = """\
[anomaly-study.md](anomaly-study.md) says how the configuration was chosen, what was tried, and which goals are missed;
[thresholds.md](thresholds.md) what to do where F1 at the threshold is far from the best.
"""


@dataclass(slots=True)
class Scored:
    """Scores of the images of one set by one model per seed, relative to the models' thresholds.

    Attributes:
        good: each good object's scores, ``(photographs, seeds)``, divided by the threshold of the model that gave them.
        defects: the same of defective objects.
        pixels: of the heatmaps, divided alike, one a seed; empty where pixels are not judged.
        fitted: how many images each model was fitted on.
    """

    good: list[Scores]
    defects: list[Scores]
    pixels: list[PixelScores] = field(default_factory=list)
    fitted: int = 0


def measure(data: Path, *, seeds: int = SEEDS) -> list[Figure]:
    """Train on every set with every seed, score its test and return the figures with 95 % intervals.

    Args:
        data: folder of the sets.
        seeds: how many.

    Raises:
        NotFound: ``folder-missing`` when a set is not there.
    """
    return [figure for found in image_sets(data) for figure in figures_of(found, scored(found, seeds), seeds)]


def scored(images: ImageSet, seeds: int) -> Scored:
    """Train on what a set keeps for choosing and score what it keeps for the test, once a seed."""
    sides = (images.split.test_good, images.split.test_defects)
    columns: list[list[list[list[float]]]] = [[[[] for _ in group] for group in side] for side in sides]
    found = Scored([], [])
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            settings = TrainingSettings(seed=seed)
            report = train_images(sorted(files(images.split.good)), Path(folder) / "benchmark.model", settings)
            model = load_bundle(report.path)
        found.fitted = report.images
        pixels = PixelScores()
        for side, rows in zip(sides, columns, strict=True):
            for group, cells in zip(side, rows, strict=True):
                for path, cell in zip(group, cells, strict=True):
                    cell.append(_score(model, path, images, pixels, defect=side is sides[1]))
        if images.masks is not None:
            found.pixels.append(pixels)
    found.good, found.defects = ([np.asarray(group, np.float64) for group in rows] for rows in columns)
    return found


def _score(model: AnomalyModel, path: Path, images: ImageSet, pixels: PixelScores, *, defect: bool) -> float:
    """Return the score of an image relative to the threshold, and count its pixels where they are judged."""
    found = model.score(read_image(path))
    if images.masks is not None:
        folder, root = images.masks
        mask = read_masks(find_masks(folder, path, root), "above-zero") if defect else None
        add_pixels(pixels, found.heatmap / np.float32(found.threshold), mask)
    return found.score / found.threshold


def add_pixels(pixels: PixelScores, heatmap: FloatMap, mask: Marked | None) -> None:
    """Count the pixels of one image; except those of an unmarked defect, which are neither good nor defective.

    Args:
        pixels: what is counted so far.
        heatmap: float32 ``(H, W)``.
        mask: ``(H, W)``, True where the defect is; None for a good image.
    """
    if mask is None or mask.any():
        pixels.add(heatmap, mask)


def figures_of(images: ImageSet, found: Scored, seeds: int) -> list[Figure]:
    """Return the figures of one set: means over the seeds, with intervals that draw whole objects."""
    note = (
        f"fitted on {found.fitted} images; {sum(map(len, found.good))} good and {sum(map(len, found.defects))} "
        f"defective images of {len(found.good)} and {len(found.defects)} objects; mean over {seeds} seeds"
    )
    stated = f"{STATED_RATE:.0%}"
    rows: list[tuple[str, str, Callable[[Scores, Scores], float]]] = [
        ("image_auroc", f"image AUROC on {images.title}", auroc),
        ("f1", f"F1 at the model's threshold on {images.title}", f1_at_threshold),
        ("best_f1", f"F1 at the best threshold for these very {images.title}", highest_f1),
        ("escape_rate", f"defective {images.title} called OK at a stated {stated} of false alarms", escape_rate),
        ("false_alarm_rate", f"good {images.title} called NG; {stated} was stated", false_alarm_rate),
    ]
    good, defects = np.concatenate(found.good), np.concatenate(found.defects)
    figures = []
    for key, what, statistic in rows:
        over_seeds = _mean_over_seeds(statistic)
        value = over_seeds(good, defects)
        goal = images.auroc_goal if key == "image_auroc" else None
        figures.append(
            judged_figure(
                name=f"{images.name}_{key}",
                value=value,
                what=what,
                goal=at_least(goal),
                interval=object_interval(found.good, found.defects, over_seeds),
                note=note,
            )
        )
    return figures + _pixel_figures(images, found)


def _pixel_figures(images: ImageSet, found: Scored) -> list[Figure]:
    if not found.pixels:
        return []
    first = found.pixels[0]
    intervals = pixel_intervals(first.images)
    goal = images.pixel_goal
    figures = []
    for key, what, values in (
        ("pixel_auroc", "pixel AUROC", [pixels.auroc() for pixels in found.pixels]),
        ("aupro", "AUPRO to 30 %", [pixels.aupro() for pixels in found.pixels]),
    ):
        value = float(np.mean([known for known in values if known is not None]))
        figures.append(
            judged_figure(
                name=f"{images.name}_{key}",
                value=value,
                what=f"{what} on {images.title}",
                goal=at_least(goal if key == "pixel_auroc" else None),
                interval=intervals[key],
                note=f"{first.regions} marked regions; whole images drawn, of the first seed",
            )
        )
    return figures


def _mean_over_seeds(statistic: Callable[[Scores, Scores], float]) -> Callable[[Scores, Scores], float]:
    """Return the mean of a figure over the columns of ``(images, seeds)``."""

    def mean(good: NDArray[np.float64], defects: NDArray[np.float64]) -> float:
        return float(np.mean([statistic(one, other) for one, other in zip(good.T, defects.T, strict=True)]))

    return mean


def auroc(good: Scores, defects: Scores) -> float:
    """Return the image AUROC."""
    return image_auroc(good, defects) or 0.0


def f1_at_threshold(good: Scores, defects: Scores) -> float:
    """Return F1 of finding defects at the models' own thresholds."""
    found = float((defects > 1.0).sum())
    return 2 * found / (found + float((good > 1.0).sum()) + len(defects))


def highest_f1(good: Scores, defects: Scores) -> float:
    """Return the highest F1 that any threshold gives."""
    return best_f1(ScoreCounts.of(good, defects)).f1


def escape_rate(good: Scores, defects: Scores) -> float:
    """Return the share of defects not above the models' own thresholds."""
    del good
    return float((defects <= 1.0).mean())


def false_alarm_rate(good: Scores, defects: Scores) -> float:
    """Return the share of good images above the models' own thresholds."""
    del defects
    return float((good > 1.0).mean())
