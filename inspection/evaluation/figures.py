"""The figures of an evaluation, by the names of its JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from inspection.evaluation.curves import Curves
from inspection.evaluation.scored_set import ScoredFile, ScoredSet
from inspection.evaluation.thresholds import threshold_effects
from inspection.metrics import (
    Curve,
    Interval,
    ScoreCounts,
    average_precision,
    best_f1,
    f1_score,
    image_auroc,
    image_intervals,
    percentiles,
    rate,
    wilson_interval,
)
from inspection.metrics.intervals import pixel_intervals


def figures_of(scored: ScoredSet) -> dict[str, Any]:
    """Return the figures of a scored set as JSON values.

    Returns:
        ``image_auroc``, ``average_precision``, ``f1`` (at the threshold), ``best_f1`` (``f1``, ``threshold``),
        ``pixel_auroc`` and ``aupro`` (None without masks), ``escapes`` and ``overkill`` (each ``count``, ``total``,
        ``rate``), ``confusion`` (truth → verdict → count), ``intervals`` (figure → bounds of 95 %), ``threshold``,
        ``model_threshold``, ``thresholds`` (the effects of others), ``latency_ms`` (``p50``, ``p95``; from the file to
        the heatmap), ``classes``, ``images`` (counts), ``masks`` (number found), ``regions`` (connected defects in
        the masks), ``empty_masks``, ``without_mask``, ``unused_masks``, ``mistakes`` (each wrong verdict), ``skipped``
        (file → message),
        ``left_out`` (their numbers, good and defective), ``model`` (digest).
    """
    good = [file.score for file in scored.good]
    defect = [file.score for file in scored.defect]
    counts = ScoreCounts.of(good, defect)
    overkill, escapes = rate(len(scored.overkill), len(good)), rate(len(scored.escapes), len(defect))
    best = best_f1(counts)
    pixels = scored.pixels
    return {
        "image_auroc": image_auroc(good, defect),
        "average_precision": average_precision(good, defect),
        "f1": f1_score(escapes, overkill),
        "best_f1": {"f1": best.f1, "threshold": best.threshold},
        "pixel_auroc": pixels.auroc() if pixels is not None else None,
        "aupro": pixels.aupro() if pixels is not None else None,
        "escapes": escapes,
        "overkill": overkill,
        "confusion": {
            "good": {"OK": len(good) - overkill["count"], "NG": overkill["count"]},
            "defect": {"OK": escapes["count"], "NG": len(defect) - escapes["count"]},
        },
        "intervals": _intervals(scored, counts),
        "threshold": scored.threshold,
        "model_threshold": scored.own_threshold,
        "thresholds": [asdict(row) for row in threshold_effects(good, defect, scored.threshold, scored.own_threshold)],
        "latency_ms": percentiles([file.milliseconds for file in (*scored.good, *scored.defect)]),
        "images": {"good": len(good), "defect": len(defect)},
        "classes": {name: _class_figures(scored, name, good) for name in scored.classes},
        "masks": scored.masks,
        "regions": pixels.regions if pixels is not None else 0,
        "empty_masks": [str(path) for path in scored.empty_masks],
        "without_mask": [str(path) for path in scored.without_mask],
        "unused_masks": [str(path) for path in scored.unused_masks],
        "mistakes": [_mistake(file) for file in (*scored.escapes, *scored.overkill)],
        "skipped": scored.skipped,
        "left_out": scored.left_out,
        "model": scored.digest,
    }


def curves_as_json(curves: Curves) -> dict[str, Any]:
    """Return curves as lists of points, and the histogram of the scores."""
    return {
        "image_roc": _points(curves.image_roc),
        "precision_recall": _points(curves.precision_recall),
        "pixel_roc": _points(curves.pixel_roc),
        "pro": _points(curves.pro),
        "histogram": {
            "edges": curves.histogram.edges.tolist(),
            "good": curves.histogram.good.tolist(),
            "defect": curves.histogram.defect.tolist(),
        },
    }


def _points(curve: Curve | None) -> list[list[float]] | None:
    if curve is None:
        return None
    return [[round(x, 6), round(y, 6)] for x, y in zip(curve.across.tolist(), curve.up.tolist(), strict=True)]


def _intervals(scored: ScoredSet, counts: ScoreCounts) -> dict[str, list[float]]:
    found: dict[str, Interval | None] = dict(image_intervals(counts, scored.threshold))
    if scored.pixels is not None:
        found.update(pixel_intervals(scored.pixels.images))
    found["escapes"] = wilson_interval(len(scored.escapes), len(scored.defect))
    found["overkill"] = wilson_interval(len(scored.overkill), len(scored.good))
    return {name: list(bounds) for name, bounds in found.items() if bounds is not None}


def _class_figures(scored: ScoredSet, name: str, good: list[float]) -> dict[str, Any]:
    files = [file for file in scored.defect if file.label == name]
    passed = sum(file.score <= scored.threshold for file in files)
    bounds = wilson_interval(passed, len(files))
    return {
        "escapes": rate(passed, len(files)),
        "escapes_interval": None if bounds is None else list(bounds),
        "image_auroc": image_auroc(good, [file.score for file in files]),
    }


def _mistake(file: ScoredFile) -> dict[str, Any]:
    return {
        "file": str(file.path),
        "kind": "overkill" if file.label is None else "escape",
        "class": file.label,
        "score": file.score,
    }
