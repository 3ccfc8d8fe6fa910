"""Which configuration suits all sets best, without a look at a test label; several may be added to one results file.

``python -m app.benchmarks.inspection.configuration_study DATA RESULTS [SET ...]`` measures the candidates on the
images that the splits keep for choosing, appends one JSON line a candidate, set and measure to RESULTS, and prints the
tables of everything in that file.

A fold of the good images (whole objects) is held out of the fit and scored against three kinds of defects:

- ``real``: the defects that a split keeps for choosing, where there are any;
- ``drawn``: one drawn on every held-out image;
- ``ranking``: others drawn on the same images, by which a product could rank the candidates itself.

A fixed default is the candidate of the best average rank over sets, by ``real`` where there are real defects, else by
``drawn``. Leave one set out: the fixed default chosen on the others is compared with the candidate that ``ranking``
prefers on the set itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from app.benchmarks.inspection.image_sets import ImageSet, image_sets
from app.benchmarks.inspection.splits import files
from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import network_area
from inspection.anomaly.drawn_defects import DEFECTS, with_drawn_defect
from inspection.anomaly.masking import MaskedLayout
from inspection.anomaly.methods.registry import FittedModel, find_method
from inspection.anomaly.training.fitting import FeatureStore, score_features
from inspection.anomaly.training.manifest_builder import build_preprocessing
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.settings import TrainingSettings
from inspection.anomaly.training.training_set import TrainingSet, scan_images
from inspection.imaging.files import read_image
from inspection.imaging.picture import Picture
from inspection.metrics import image_auroc
from inspection.runtime.arrays import FloatArray

FOLDS, USED_FOLDS = 3, 2
BACKBONES = ("efficientnet-lite0", "efficientnet-lite2")
SIDES = (288, 384)
WHITENINGS = (0.0, 0.5, 1.0)
# A bank that is smaller than the product's ranks candidates alike, in half the time.
BANK = 3000
_RANKING_SEED, _DRAWN_SEED = 1, 2
_Scored = tuple[FloatArray, MaskedLayout]
Row = dict[str, str | float]
Tables = dict[str, dict[str, dict[str, float]]]


def measure_set(images: ImageSet, on_row: Callable[[Row], None]) -> None:
    """Measure every candidate on one set and pass on its rows."""
    order = {path: place for place, group in enumerate(images.split.good) for path in group}
    tracker = ProgressTracker(1.0, None, None)
    training_set = scan_images(files(images.split.good), tracker, 0)
    fold_of = np.array([order[path] % FOLDS for path, _ in training_set.files])
    for backbone in BACKBONES:
        for side in SIDES:
            configuration = Configuration(backbone=backbone, side=side)
            area = network_area(training_set.sizes, side)
            store = FeatureStore(
                find_backbone(backbone),
                training_set,
                build_preprocessing(training_set, area, aligned=False),
                tracker,
                seed=0,
                threads=0,
                described=False,
            )
            defects = [
                store.features(Picture.original(read_image(path))) for path in files(images.split.defects)[::FOLDS]
            ]
            for fold in range(USED_FOLDS):
                held_out = np.flatnonzero(fold_of == fold).tolist()
                fitted_on = np.flatnonzero(fold_of != fold).tolist()
                scored = {
                    "real": defects,
                    "drawn": _drawn(store, training_set, held_out, _DRAWN_SEED),
                    "ranking": _drawn(store, training_set, held_out, _RANKING_SEED),
                }
                for whitening in WHITENINGS:
                    candidate = configuration.model_copy(update={"whitening": whitening})
                    settings = TrainingSettings(bank_size=BANK)
                    method = find_method(settings.method, settings.method_settings(candidate))
                    fitted = method.fit(store, fitted_on, tracker.check)
                    good = [store.score(fitted, index) for index in held_out]
                    for kind, found in scored.items():
                        if found:
                            auroc = image_auroc(good, _scores(fitted, found)) or 0.0
                            on_row(
                                {"set": images.name, "candidate": name_of(candidate), "kind": kind, "auroc": auroc}
                            )  # fmt: skip


def name_of(candidate: Configuration) -> str:
    """Return a candidate in one word."""
    return f"{candidate.backbone.rpartition('-')[2]}/{candidate.side}/{candidate.whitening:g}"


def _drawn(store: FeatureStore, training_set: TrainingSet, indices: Iterable[int], seed: int) -> list[_Scored]:
    found = []
    for index in indices:
        picture = training_set.picture(index)
        generator = np.random.default_rng([seed, index])
        defect = DEFECTS[int(generator.integers(len(DEFECTS)))]
        found.append(store.features(with_drawn_defect(picture, defect, generator)))
    return found


def _scores(fitted: FittedModel, found: Sequence[_Scored]) -> list[float]:
    return [score_features(fitted, grid, layout) for grid, layout in found]


def tables(rows: Iterable[Row]) -> Tables:
    """Return kind → set → candidate → AUROC, the mean over the folds."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        kinds = found.setdefault(str(row["kind"]), {}).setdefault(str(row["set"]), {})
        kinds.setdefault(str(row["candidate"]), []).append(float(row["auroc"]))
    return {
        kind: {name: {key: float(np.mean(values)) for key, values in cells.items()} for name, cells in sets.items()}
        for kind, sets in found.items()
    }


def judged(found: Tables) -> dict[str, dict[str, float]]:
    """Return set → candidate → the AUROC that judges it: of real defects where there are any, else of drawn ones."""
    return {name: found.get("real", {}).get(name, cells) for name, cells in found["drawn"].items()}


def average_ranks(judging: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return candidate → mean over sets of its rank, 1 the best; ties share the mean of their ranks."""
    names = sorted(next(iter(judging.values())))
    ranks = []
    for cells in judging.values():
        values = np.array([cells[name] for name in names])
        ranks.append([1 + (values > value).sum() + ((values == value).sum() - 1) / 2 for value in values])
    return dict(zip(names, np.mean(ranks, axis=0).tolist(), strict=True))


def leave_one_out(found: Tables) -> list[tuple[str, str, float, str, float]]:
    """Return of each set the fixed default chosen on the others and the one ranked on it, each with its AUROC."""
    judging = judged(found)
    rows = []
    for name, cells in judging.items():
        others = {other: values for other, values in judging.items() if other != name}
        if not others:
            continue
        ranks = average_ranks(others)
        fixed = min(ranks, key=lambda key: (ranks[key], key))
        ranking = found["ranking"][name]
        ranked = max(ranking, key=lambda key: (ranking[key], key))
        rows.append((name, fixed, cells[fixed], ranked, cells[ranked]))
    return rows


def page(found: Tables) -> str:
    """Return the tables in Markdown."""
    judging = judged(found)
    sets = list(judging)
    ranks = average_ranks(judging)
    lines = [f"| candidate | {' | '.join(sets)} | mean rank |", "| --- " * (len(sets) + 2) + "|"]
    for key in sorted(ranks, key=lambda key: ranks[key]):
        cells = " | ".join(f"{judging[name][key]:.3f} ({found['drawn'][name][key]:.3f})" for name in sets)
        lines.append(f"| {key} | {cells} | {ranks[key]:.1f} |")
    lines += ["", "| left out | fixed default of the others | AUROC | ranked on the set itself | AUROC |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, fixed, fixed_auroc, ranked, ranked_auroc in leave_one_out(found):
        lines.append(f"| {name} | {fixed} | {fixed_auroc:.3f} | {ranked} | {ranked_auroc:.3f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure the sets named after the data folder and the results file, and print the tables of that file."""
    data, results, *names = arguments
    with Path(results).open("a", encoding="utf-8") as file:

        def write(row: Row) -> None:
            file.write(json.dumps(row) + "\n")
            file.flush()

        for images in image_sets(Path(data)):
            if images.name in names:
                measure_set(images, write)
    rows = [json.loads(line) for line in Path(results).read_text(encoding="utf-8").splitlines()]
    sys.stdout.write(page(tables(rows)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
