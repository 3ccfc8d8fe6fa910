"""The plots of a report, as SVG."""

from __future__ import annotations

from typing import Any

from inspection.evaluation.curves import Curves
from inspection.evaluation.plotting import (
    DEFECT_COLOUR,
    GOOD_COLOUR,
    LINE_COLOUR,
    Axes,
    MaxNLocator,
    as_svg,
    new_figure,
)
from inspection.evaluation.scored_set import ScoredSet
from inspection.evaluation.wording import Wording
from inspection.metrics import Curve, roc_curve
from inspection.metrics.pixels import PRO_LIMIT
from inspection.metrics.ranking import ScoreCounts

_SQUARE = (4.6, 4.0)
_WIDE = (9.6, 3.4)
_CHANCE = "#9ca3af"


def roc_plot(curves: Curves, found: dict[str, Any], wording: Wording) -> str:
    """Return the ROC curves of images and, with masks, of pixels, with the operating point of the threshold."""
    figure, axes = new_figure(*_SQUARE)
    axes.plot([0, 1], [0, 1], color=_CHANCE, linestyle=":", linewidth=1)
    _curve(
        axes, curves.image_roc, GOOD_COLOUR, "-", wording.text("images-label", value=found["image_auroc"]), steps=True
    )
    if curves.pixel_roc is not None:
        _curve(axes, curves.pixel_roc, DEFECT_COLOUR, "--", wording.text("pixels-label", value=found["pixel_auroc"]))
    axes.plot(
        found["overkill"]["rate"],
        1 - found["escapes"]["rate"],
        "o",
        color=LINE_COLOUR,
        markersize=7,
        label=wording.text("at-threshold"),
    )
    _unit_square(axes, wording.text("overkill-rate"), wording.text("found-rate"))
    axes.legend(loc="lower right", fontsize=9)
    return as_svg(figure)


def precision_recall_plot(curves: Curves, found: dict[str, Any], wording: Wording) -> str:
    """Return the precision-recall curve with the operating point of the threshold."""
    figure, axes = new_figure(*_SQUARE)
    label = wording.text("average-precision-label", value=found["average_precision"])
    axes.plot(*curves.precision_recall, color=GOOD_COLOUR, linewidth=2, label=label)
    called = found["confusion"]["defect"]["NG"] + found["overkill"]["count"]
    if called:
        axes.plot(
            1 - found["escapes"]["rate"],
            found["confusion"]["defect"]["NG"] / called,
            "o",
            color=LINE_COLOUR,
            markersize=7,
            label=wording.text("at-threshold"),
        )
    _unit_square(axes, wording.text("recall"), wording.text("precision"))
    axes.legend(loc="lower left", fontsize=9)
    return as_svg(figure)


def pro_plot(curve: Curve, found: dict[str, Any], wording: Wording) -> str:
    """Return the per-region overlap curve, shaded up to the limit of AUPRO."""
    figure, axes = new_figure(*_SQUARE)
    _curve(axes, curve, DEFECT_COLOUR, "-", wording.text("aupro-label", value=found["aupro"]))
    inside = curve.across <= PRO_LIMIT
    axes.fill_between(curve.across[inside], curve.up[inside], color=DEFECT_COLOUR, alpha=0.12, linewidth=0)
    axes.axvline(PRO_LIMIT, color=LINE_COLOUR, linestyle="--", linewidth=1)
    _unit_square(axes, wording.text("pixel-false-rate"), wording.text("overlap"))
    axes.legend(loc="lower right", fontsize=9)
    return as_svg(figure)


def histogram_plot(curves: Curves, threshold: float, wording: Wording) -> str:
    """Return the score histograms of good and defective images with the threshold."""
    figure, axes = new_figure(*_WIDE)
    histogram = curves.histogram
    for counts, colour, hatch, label in (
        (histogram.good, GOOD_COLOUR, "", "good"),
        (histogram.defect, DEFECT_COLOUR, "////", "defect"),
    ):
        axes.stairs(
            counts, histogram.edges, fill=True, facecolor=colour, alpha=0.35, hatch=hatch, edgecolor=colour, linewidth=0
        )
        axes.stairs(counts, histogram.edges, color=colour, linewidth=1.6, label=wording.text(label))
    axes.axvline(
        threshold, color=LINE_COLOUR, linestyle="--", linewidth=1.6, label=wording.text("threshold-at", value=threshold)
    )
    axes.set_xlabel(wording.text("score"))
    axes.set_ylabel(wording.text("image-count"))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_above(axes)
    return as_svg(figure)


def threshold_plot(scored: ScoredSet, wording: Wording) -> str:
    """Return escape rate and overkill over the threshold."""
    figure, axes = new_figure(*_WIDE)
    counts = ScoreCounts.of([file.score for file in scored.good], [file.score for file in scored.defect])
    roc = roc_curve(counts)
    # A score equal to the threshold is OK: the rates hold from each score to the next higher one.
    values, overkill, escapes = counts.values, roc.across[-2::-1], 1 - roc.up[-2::-1]
    axes.step(values, escapes, where="post", color=DEFECT_COLOUR, linewidth=2, label=wording.text("escapes"))
    axes.step(
        values, overkill, where="post", color=GOOD_COLOUR, linewidth=2, linestyle="--", label=wording.text("overkill")
    )
    axes.axvline(
        scored.threshold,
        color=LINE_COLOUR,
        linestyle="--",
        linewidth=1.6,
        label=wording.text("threshold-at", value=scored.threshold),
    )
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(wording.text("threshold"))
    axes.set_ylabel(wording.text("wrong-share"))
    _legend_above(axes)
    return as_svg(figure)


def _legend_above(axes: Axes) -> None:
    # Within the axes it could cover the line of the threshold.
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=9, borderaxespad=0.0)


def _curve(axes: Axes, curve: Curve, colour: str, line: str, label: str, *, steps: bool = False) -> None:
    axes.plot(
        curve.across,
        curve.up,
        color=colour,
        linestyle=line,
        linewidth=2,
        label=label,
        drawstyle="steps-post" if steps else "default",
    )


def _unit_square(axes: Axes, across: str, up: str) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
