"""The parts of a report, each as HTML."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from inspection.evaluation.curves import Curves
from inspection.evaluation.markup import Cell, paragraph, plot, section, table, text
from inspection.evaluation.plots import (
    histogram_plot,
    precision_recall_plot,
    pro_plot,
    roc_plot,
    threshold_plot,
)
from inspection.evaluation.scoring import ScoredSet
from inspection.evaluation.wording import Wording
from models.errors import UserFacingError


class Processing(NamedTuple):
    """What images went through before the model was given them.

    Attributes:
        steps: components; none for images as they are.
        as_trained: whether those of the training went through the same; None where the model file does not tell.
        mismatch: what to tell when they did not.
    """

    steps: tuple[str, ...] = ()
    as_trained: bool | None = True
    mismatch: UserFacingError | None = None


class Sources(NamedTuple):
    """What was evaluated: the folders, as the user named them, and what was done to the images."""

    good: Path
    defect: Path
    masks: Path | None
    processing: Processing = Processing()


def summary(found: dict[str, Any], mismatch: UserFacingError | None, wording: Wording) -> str:
    """Return the figures that count, as tiles, and what takes their meaning away."""
    tiles = [
        _share_tile("escapes", found, wording),
        _share_tile("overkill", found, wording),
        _tile(wording, "image-auroc", number(found["image_auroc"]), _bounds(found, "image_auroc", wording)),
        _tile(
            wording,
            "average-precision",
            number(found["average_precision"]),
            _bounds(found, "average_precision", wording),
        ),
        _tile(wording, "f1", number(found["f1"]), _bounds(found, "f1", wording)),
        _tile(
            wording,
            "best-f1",
            number(found["best_f1"]["f1"]),
            wording.say("best-f1-aside", value=number(found["best_f1"]["threshold"])),
        ),
    ]
    if found["pixel_auroc"] is not None:
        tiles.append(
            _tile(wording, "pixel-auroc", number(found["pixel_auroc"]), _bounds(found, "pixel_auroc", wording))
        )
        tiles.append(_tile(wording, "aupro", number(found["aupro"]), _bounds(found, "aupro", wording)))
    latency = found["latency_ms"]
    tiles.append(
        _tile(
            wording,
            "latency",
            wording.say("latency-value", p50=f"{latency['p50']:.1f}"),
            wording.say("latency-aside", p95=f"{latency['p95']:.1f}"),
        )
    )
    warning = []
    if mismatch is not None:
        told = mismatch.text(wording.language)
        warning.append(paragraph(f"{told.detail} {told.advice}", "warning"))
    return section("summary", wording.say("section-summary"), *warning, f'<dl class="tiles">{"".join(tiles)}</dl>')


def confusion(found: dict[str, Any], wording: Wording) -> str:
    """Return the confusion matrix with shares of each row."""
    counts = found["confusion"]
    rows = []
    for truth, wrong, mistake in (("good", "NG", "overkill"), ("defect", "OK", "escapes")):
        total = sum(counts[truth].values())
        cells = [Cell(wording.say(truth))]
        for verdict in ("OK", "NG"):
            name = f"<small>{text(wording.say(mistake))}</small>" if verdict == wrong else ""
            share = percent(counts[truth][verdict] / total)
            cells.append(
                Cell(
                    f"{counts[truth][verdict]}<small>{share}</small>{name}",
                    mistake if verdict == wrong else "right",
                    html=True,
                )
            )
        rows.append(("", cells))
    heads = [Cell(wording.say("truth")), Cell("OK"), Cell("NG")]
    caption = wording.say("confusion-caption", threshold=number(found["threshold"]))
    return section("confusion", wording.say("section-confusion"), table(caption, heads, rows, "confusion"))


def scores(scored: ScoredSet, curves: Curves, wording: Wording) -> str:
    """Return the histogram of the scores."""
    good = [file.score for file in scored.good]
    defect = [file.score for file in scored.defect]
    alternative = wording.say(
        "scores-alt",
        good=len(good),
        defect=len(defect),
        threshold=number(scored.threshold),
        good_median=number(median(good)),
        good_highest=number(max(good)),
        defect_lowest=number(min(defect)),
        defect_median=number(median(defect)),
    )
    drawn = plot(histogram_plot(curves, scored.threshold, wording), alternative, wording.say("scores-caption"))
    return section("scores", wording.say("section-scores"), drawn)


def curve_plots(curves: Curves, found: dict[str, Any], wording: Wording) -> str:
    """Return the ROC and precision-recall curves, and the PRO curve where there are masks."""
    values = {
        "image_auroc": number(found["image_auroc"]),
        "average_precision": number(found["average_precision"]),
        "best_f1": number(found["best_f1"]["f1"]),
        "aupro": number(found["aupro"]),
        "found": percent(1 - found["escapes"]["rate"]),
        "overkill": percent(found["overkill"]["rate"]),
    }
    drawn = [
        ("roc", roc_plot(curves, found, wording)),
        ("pr", precision_recall_plot(curves, found, wording)),
    ]
    if curves.pro is not None:
        drawn.append(("pro", pro_plot(curves.pro, found, wording)))
    plots = [plot(svg, wording.say(f"{name}-alt", **values), wording.say(f"{name}-caption")) for name, svg in drawn]
    return section("curves", wording.say("section-curves"), f'<div class="plots">{"".join(plots)}</div>')


def thresholds(scored: ScoredSet, found: dict[str, Any], wording: Wording) -> str:
    """Return what other thresholds would do, as a plot and as a table."""
    alternative = wording.say(
        "thresholds-alt",
        threshold=number(scored.threshold),
        escapes=percent(found["escapes"]["rate"]),
        overkill=percent(found["overkill"]["rate"]),
    )
    heads = [
        Cell(wording.say("reason")),
        *(Cell(wording.say(name), "number") for name in ("threshold", "escapes", "overkill")),
        Cell("F1", "number"),
    ]
    rows = [
        (
            "now" if row["reason"] == "in-use" else "",
            [
                Cell(wording.say(f"reason-{row['reason']}", limit=_round_percent(row["limit"]))),
                Cell(number(row["threshold"]), "number"),
                Cell(_count_and_share(row["escapes"]), "number"),
                Cell(_count_and_share(row["overkill"]), "number"),
                Cell(number(row["f1"]), "number"),
            ],
        )
        for row in reversed(_different(found["thresholds"]))
    ]
    return section(
        "thresholds",
        wording.say("section-thresholds"),
        plot(threshold_plot(scored, wording), alternative, wording.say("thresholds-plot-caption")),
        table(wording.say("thresholds-caption"), heads, rows),
        paragraph(wording.say("thresholds-warning"), "none"),
    )


def classes(found: dict[str, Any], wording: Wording) -> str:
    """Return the classes of defects, the one with the highest escape rate first."""
    heads = [
        Cell(wording.say("class")),
        *(
            Cell(wording.say(name), "number")
            for name in ("images", "escapes", "escape-rate", "interval-heading", "image-auroc")
        ),
    ]
    by_rate = sorted(found["classes"].items(), key=lambda entry: (-(entry[1]["escapes"]["rate"] or 0.0), entry[0]))
    rows = [
        (
            "",
            [
                Cell(name),
                Cell(str(values["escapes"]["total"]), "number"),
                Cell(str(values["escapes"]["count"]), "number"),
                Cell(percent(values["escapes"]["rate"]), "number"),
                Cell(_range(values["escapes_interval"]), "number"),
                Cell(number(values["image_auroc"]), "number"),
            ],
        )
        for name, values in by_rate
    ]
    return section("classes", wording.say("section-classes"), table(wording.say("classes-caption"), heads, rows))


def method(scored: ScoredSet, found: dict[str, Any], sources: Sources, wording: Wording) -> str:
    """Return what was evaluated and how the figures are defined."""
    lines = [
        wording.say("method-good", folder=sources.good),
        wording.say("method-defect", folder=sources.defect),
    ]
    if sources.masks is not None:
        masks = wording.say("method-masks", folder=sources.masks, masks=found["masks"], regions=found["regions"])
        lines.append(masks)
    processing = sources.processing
    if processing.steps:
        lines.append(wording.say("method-steps", steps=", ".join(processing.steps)))
    if processing.as_trained is None:
        lines.append(wording.say("method-steps-unknown"))
    if scored.empty_masks:
        lines.append(wording.say("method-empty", count=len(scored.empty_masks)))
    lines.append(wording.say("method-threshold", own=number(scored.own_threshold)))
    lines.append(wording.say("method-auroc"))
    if scored.pixels is not None:
        lines.append(wording.say("method-aupro"))
    lines += [wording.say("method-intervals"), wording.say("method-latency")]
    return section("method", wording.say("section-method"), *(paragraph(line) for line in lines))


def skipped(found: dict[str, Any], wording: Wording) -> str:
    """Return the files that were left out, with the reason."""
    heads = [Cell(wording.say("file")), Cell(wording.say("why"))]
    rows = [("", [Cell(file), Cell(why)]) for file, why in found["skipped"].items()]
    return section("skipped", wording.say("section-skipped"), table(wording.say("skipped-caption"), heads, rows))


def number(value: float | None) -> str:
    """Return a figure with three decimals, a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    """Return a share in percent, a dash for none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _different(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out a limit of overkill where a stricter one gives the same threshold: few images have few thresholds."""
    strictest: dict[float, float] = {}
    for row in rows:
        if row["limit"] is not None:
            strictest[row["threshold"]] = min(row["limit"], strictest.get(row["threshold"], 1.0))
    return [row for row in rows if row["limit"] is None or row["limit"] == strictest[row["threshold"]]]


def _round_percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:g} %"


def _range(bounds: list[float] | None) -> str:
    return "–" if bounds is None else f"{100 * bounds[0]:.1f} – {100 * bounds[1]:.1f} %"


def _count_and_share(found: dict[str, Any]) -> str:
    return f"{found['count']} ({percent(found['rate'])})"


def _bounds(found: dict[str, Any], name: str, wording: Wording) -> str:
    bounds = found["intervals"].get(name)
    return "" if bounds is None else wording.say("interval", low=number(bounds[0]), high=number(bounds[1]))


def _share_tile(name: str, found: dict[str, Any], wording: Wording) -> str:
    counts = found[name]
    low, high = (percent(bound) for bound in found["intervals"][name])
    asides = (
        wording.say("of-total", count=counts["count"], total=counts["total"]),
        wording.say("interval", low=low, high=high),
    )
    return _tile(wording, name, percent(counts["rate"]), *asides, kind=f" {name}")


def _tile(wording: Wording, name: str, value: str, *asides: str, kind: str = "") -> str:
    below = "".join(f'<dd class="aside">{text(aside)}</dd>' for aside in asides if aside)
    return (
        f'<div class="tile{kind}"><dt>{text(wording.say(name))}</dt><dd class="value">{text(value)}</dd>{below}</div>'
    )
