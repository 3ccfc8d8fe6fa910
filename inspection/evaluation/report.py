"""The report of an evaluation: one HTML page that needs nothing from anywhere, and the figures as JSON beside it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from inspection.evaluation import sections
from inspection.evaluation.curves import curves_of
from inspection.evaluation.gallery import Gallery, grouped
from inspection.evaluation.markup import paragraph, section, text
from inspection.evaluation.scoring import ScoredSet
from inspection.evaluation.sections import Sources
from inspection.evaluation.wording import Wording
from models.messages import Language
from models.storage import make_folder, require_writable, write_atomically

PAGE_SUFFIXES = (".html", ".htm")
_DIGEST_SHOWN = 16
_LINKS = {
    "summary": "section-summary",
    "confusion": "section-confusion",
    "scores": "section-scores",
    "curves": "section-curves",
    "thresholds": "section-thresholds",
    "classes": "section-classes",
    "escapes": "escapes",
    "overkill": "overkill",
    "method": "section-method",
}


class ReportPlace:
    """Where a report goes: ``out`` itself when it names a page, else ``report.html`` in the folder ``out``.

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
        """Check it before the work begins, where it can be seen then.

        Raises:
            Unavailable: ``file-not-written`` or ``file-disk-full``.
        """
        require_writable(self.page)


def write_report(
    scored: ScoredSet, results: dict[str, Any], place: ReportPlace, sources: Sources, language: Language
) -> None:
    """Write the report.

    Args:
        scored: the set, with pictures.
        results: of ``results_of`` for it.
        place: where it goes; its folder is made when missing.
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
    """Return the report as HTML; pictures that are too many for it go to ``place.pictures``."""
    curves = curves_of(scored)
    parts = [
        sections.summary(found, sources.processing.mismatch, wording),
        sections.confusion(found, wording),
        sections.scores(scored, curves, wording),
        sections.curve_plots(curves, found, wording),
        sections.thresholds(scored, found, wording),
        sections.classes(found, wording),
        *_galleries(scored, place, wording),
        sections.method(scored, found, sources, wording),
    ]
    if found["skipped"]:
        parts.append(sections.skipped(found, wording))
    template = Template((files("resources") / "report" / "evaluation.html").read_text(encoding="utf-8"))
    links = "".join(f'<li><a href="#{name}">{text(wording.say(key))}</a></li>' for name, key in _LINKS.items())
    return template.substitute(
        language=wording.language,
        title=text(wording.say("title", model=scored.model)),
        about=text(
            wording.say(
                "about",
                good=len(scored.good),
                defect=len(scored.defect),
                threshold=sections.number(scored.threshold),
                digest=scored.digest[:_DIGEST_SHOWN],
                date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
            )
        ),
        skip=text(wording.say("skip")),
        contents=text(wording.say("contents")),
        links=links,
        sections="\n".join(parts),
        footer=text(wording.say("footer", version=version("imageflow-station"))),
    )


def _encoded(written: str) -> bytes:
    # A file whose name is no UTF-8, as from a disk of Japanese Windows, is named with escapes; JSON reads them back.
    return written.encode(errors="backslashreplace")


def _galleries(scored: ScoredSet, place: ReportPlace, wording: Wording) -> tuple[str, str]:
    escapes, overkill = scored.escapes, scored.overkill
    gallery = Gallery(place.pictures, len(escapes) + len(overkill))
    totals = Counter(file.label or "" for file in scored.defect)
    passed = (
        grouped(gallery, escapes, totals, scored.threshold, wording)
        if escapes
        else paragraph(wording.say("no-escapes"), "none")
    )
    rejected = (
        paragraph(wording.say("gallery-note")) + gallery.figures(overkill, scored.threshold, wording)
        if overkill
        else paragraph(wording.say("no-overkill"), "none")
    )
    return (
        section("escapes", wording.say("section-escapes"), passed),
        section("overkill", wording.say("section-overkill"), rejected),
    )
