"""The pictures of wrong verdicts: within the report while they are few, beside it when they are many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from inspection.evaluation.markup import jpeg_source, paragraph, text
from inspection.evaluation.scoring import ScoredFile
from inspection.evaluation.wording import Wording
from models.storage import make_folder, write_atomically

MOST_EMBEDDED = 200
"""Up to so many pictures, some 8 MB, the report is one file; beyond, a browser loads them as they are scrolled to."""
_MOST_DIGITS = 4


class Gallery:
    """Puts the pictures where the report finds them.

    Args:
        folder: for pictures that do not fit into the report; made only when it is needed.
        count: of all pictures.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._beside = count > MOST_EMBEDDED
        self._number = 0

    def figures(self, files: Sequence[ScoredFile], threshold: float, wording: Wording) -> str:
        """Return a grid of the files' pictures, each with its name, class and score.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written`` when a picture cannot be put beside the report.
        """
        return f'<div class="gallery">{"".join(self._figure(file, threshold, wording) for file in files)}</div>'

    def _figure(self, file: ScoredFile, threshold: float, wording: Wording) -> str:
        if file.picture is None:
            raise ValueError("the set was scored without pictures")
        name = wording.say("good") if file.label is None else file.label
        alternative = wording.say(
            "mistake-alt-overkill" if file.label is None else "mistake-alt-escape",
            file=file.path.name,
            name=name,
            score=f"{file.score:.3f}",
            threshold=f"{threshold:.3f}",
        )
        score = wording.say("mistake-score", score=f"{file.score:.3f}", relation=relation(file.score, threshold))
        return (
            '<figure><label><input type="checkbox" class="larger">'
            f'<img loading="lazy" src="{self._source(file.picture)}" alt="{text(alternative)}"></label>'
            f"<figcaption><b>{text(file.path.name)}</b><br>{text(name)} · {text(score)}</figcaption></figure>\n"
        )

    def _source(self, picture: bytes) -> str:
        if not self._beside:
            return jpeg_source(picture)
        self._number += 1
        make_folder(self._folder)
        name = f"{self._number:05}.jpg"
        write_atomically(self._folder / name, picture)
        return f"{quote(os.fsencode(self._folder.name))}/{name}"


def relation(score: float, threshold: float) -> str:
    """Return a score as a share of the threshold, rounded away from 100 %: 99.8 % is below it and is told so."""
    share = 100 * score / threshold
    for digits in range(1, _MOST_DIGITS):
        shown = f"{share:.{digits}f}"
        if float(shown) != 100 or share == 100:  # noqa: PLR2004 - per cent
            return f"{shown} %"
    return f"{share:.{_MOST_DIGITS}f} %"


def grouped(
    gallery: Gallery, scored_files: Sequence[ScoredFile], totals: dict[str, int], threshold: float, wording: Wording
) -> str:
    """Return the pictures of escapes, one part a class that can be closed, the class with most escapes first.

    Args:
        gallery: takes the pictures.
        scored_files: escapes, farthest from the threshold first.
        totals: class → images of it.
        threshold: the effective one.
        wording: of the report.
    """
    by_class: dict[str, list[ScoredFile]] = {}
    for file in scored_files:
        by_class.setdefault(file.label or "", []).append(file)
    parts = [paragraph(wording.say("gallery-note")), paragraph(wording.say("gallery-note-escapes"))]
    for name, files in sorted(by_class.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        heading = wording.say("group-of", name=name, count=len(files), total=totals[name])
        parts.append(
            f"<details open><summary><h3>{text(heading)}</h3></summary>"
            f"{gallery.figures(files, threshold, wording)}</details>"
        )
    return "\n".join(parts)
