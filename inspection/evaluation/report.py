"""The report of an evaluation: one self-contained HTML page, and the figures as JSON beside it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from inspection.evaluation.curves import Curves, curves_of
from inspection.evaluation.formatting import number, percent
from inspection.evaluation.gallery import Gallery, grouped
from inspection.evaluation.plots import (
    histogram_plot,
    precision_recall_plot,
    pro_plot,
    roc_plot,
    threshold_plot,
)
from inspection.evaluation.provenance import Sources
from inspection.evaluation.rendering import data_uri, render
from inspection.evaluation.scored_set import ScoredSet
from inspection.evaluation.wording import Wording
from models.messages import Language
from models.storage import make_folder, require_writable, write_atomically

PAGE_SUFFIXES = (".html", ".htm")
_DIGEST_SHOWN = 16


class ReportPlace:
    """The files of a report: ``out`` itself when it names a page, else ``report.html`` in the folder ``out``.

    Attributes:
        page: the HTML file.
        results: the JSON file; None when ``out`` names a page.
        pictures: folder for pictures that are too many for the page.
    """

    def __init__(self, out: Path) -> None:
        single = out.suffix.lower() in PAGE_SUFFIXES
        self.page = out if single else out / "report.html"
        self.results = None if single else out / "evaluation.json"
        self.pictures = self.page.parent / f"{self.page.stem}-images"

    def require_writable(self) -> None:
        """Check before the work begins that the page can be written, as far as that can be known.

        Raises:
            Unavailable: ``file-not-written`` or ``file-disk-full``.
        """
        require_writable(self.page)


class Plot(NamedTuple):
    """A plot: its SVG as a ``data:`` URI, the text read aloud in its place, and its caption."""

    source: str
    alternative: str
    caption: str


def write_report(
    scored: ScoredSet, results: dict[str, Any], place: ReportPlace, sources: Sources, language: Language
) -> None:
    """Write the report.

    Args:
        scored: the set, with pictures.
        results: of ``results_of`` for it.
        place: of the files; the folder is created when missing.
        sources: the folders that were evaluated.
        language: of the page.

    Raises:
        Unavailable: ``file-not-written`` or ``file-disk-full``.
    """
    make_folder(place.page.parent)
    write_atomically(place.page, _encoded(page_of(scored, results, place, sources, Wording(language))))
    if place.results is not None:
        write_atomically(place.results, _encoded(json.dumps(results, ensure_ascii=False, indent=2) + "\n"))


def page_of(scored: ScoredSet, found: dict[str, Any], place: ReportPlace, sources: Sources, wording: Wording) -> str:
    """Return the report as HTML; pictures that are too many for it are written to ``place.pictures``.

    Raises:
        Unavailable: as ``write_report``.
    """
    curves = curves_of(scored)
    mismatch = sources.processing.mismatch
    gallery = Gallery(place.pictures, len(scored.escapes) + len(scored.overkill))
    totals = Counter(file.label or "" for file in scored.defect)
    values = {
        "model": scored.model,
        "digest": scored.digest[:_DIGEST_SHOWN],
        "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "version": version("imageflow-station"),
        "found": found,
        "sources": sources,
        "mismatch": None if mismatch is None else mismatch.text(wording.language),
        "histogram": _histogram(scored, curves, wording),
        "curves": _curve_plots(curves, found, wording),
        "effects": _effects(scored, found, wording),
        "thresholds": list(reversed(_without_repeats(found["thresholds"]))),
        "classes": _by_escape_rate(found["classes"]),
        "escapes": grouped(gallery, scored.escapes, totals, scored.threshold, wording),
        "overkill": gallery.figures(scored.overkill, scored.threshold, wording),
    }
    return render("evaluation.html", wording, values)


def _histogram(scored: ScoredSet, curves: Curves, wording: Wording) -> Plot:
    good = [file.score for file in scored.good]
    defect = [file.score for file in scored.defect]
    alternative = wording.text(
        "scores-alt",
        good=len(good),
        defect=len(defect),
        threshold=number(scored.threshold),
        good_median=number(median(good)),
        good_highest=number(max(good)),
        defect_lowest=number(min(defect)),
        defect_median=number(median(defect)),
    )
    return _plot(histogram_plot(curves, scored.threshold, wording), alternative, wording.text("scores-caption"))


def _curve_plots(curves: Curves, found: dict[str, Any], wording: Wording) -> list[Plot]:
    """Return the ROC and precision-recall curves, and the PRO curve where there are masks."""
    values = {
        "image_auroc": number(found["image_auroc"]),
        "average_precision": number(found["average_precision"]),
        "best_f1": number(found["best_f1"]["f1"]),
        "aupro": number(found["aupro"]),
        "found": percent(1 - found["escapes"]["rate"]),
        "overkill": percent(found["overkill"]["rate"]),
    }
    drawn = [("roc", roc_plot(curves, found, wording)), ("pr", precision_recall_plot(curves, found, wording))]
    if curves.pro is not None:
        drawn.append(("pro", pro_plot(curves.pro, found, wording)))
    return [_plot(svg, wording.text(f"{name}-alt", **values), wording.text(f"{name}-caption")) for name, svg in drawn]


def _effects(scored: ScoredSet, found: dict[str, Any], wording: Wording) -> Plot:
    alternative = wording.text(
        "thresholds-alt",
        threshold=number(scored.threshold),
        escapes=percent(found["escapes"]["rate"]),
        overkill=percent(found["overkill"]["rate"]),
    )
    return _plot(threshold_plot(scored, wording), alternative, wording.text("thresholds-plot-caption"))


def _plot(svg: str, alternative: str, caption: str) -> Plot:
    return Plot(data_uri("image/svg+xml", svg.encode()), alternative, caption)


def _without_repeats(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out a limit of overkill where a stricter one gives the same threshold: few images have few thresholds."""
    strictest: dict[float, float] = {}
    for row in rows:
        if row["limit"] is not None:
            strictest[row["threshold"]] = min(row["limit"], strictest.get(row["threshold"], 1.0))
    return [row for row in rows if row["limit"] is None or row["limit"] == strictest[row["threshold"]]]


def _by_escape_rate(classes: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(classes.items(), key=lambda entry: (-(entry[1]["escapes"]["rate"] or 0.0), entry[0]))


def _encoded(written: str) -> bytes:
    # A file name that is no valid UTF-8, as from a disk of Japanese Windows, is written with escapes; JSON restores it.
    return written.encode(errors="backslashreplace")
