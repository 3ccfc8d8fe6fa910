"""The pictures of wrong verdicts: embedded in the report while they are few, files beside it when they are many."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from inspection.evaluation.rendering import data_uri
from inspection.evaluation.scored_set import ScoredFile
from inspection.evaluation.wording import Wording
from models.storage import make_folder, write_atomically

MOST_EMBEDDED = 200
"""Up to this many pictures, some 8 MB, the report is one file; beyond, a browser loads them when scrolled to."""
_MOST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class GalleryFigure:
    """One wrong verdict.

    Attributes:
        source: address of the picture.
        alternative: the text read aloud in its place.
        file: name of the image file.
        caption: class and score.
    """

    source: str
    alternative: str
    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class GalleryGroup:
    """The wrong verdicts of one class of defects, under a heading."""

    heading: str
    figures: list[GalleryFigure]


class Gallery:
    """Stores the pictures where the report finds them.

    Args:
        folder: for pictures that are too many to embed; created only when needed.
        count: of all pictures.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._beside = count > MOST_EMBEDDED
        self._number = 0

    def figures(self, files: Sequence[ScoredFile], threshold: float, wording: Wording) -> list[GalleryFigure]:
        """Return the figures of the files, each with its name, class and score.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written`` when a picture cannot be written beside the report.
        """
        return [self._figure(file, threshold, wording) for file in files]

    def _figure(self, file: ScoredFile, threshold: float, wording: Wording) -> GalleryFigure:
        if file.picture is None:
            raise ValueError("the set was scored without pictures")
        name = wording.text("good") if file.label is None else file.label
        alternative = wording.text(
            "mistake-alt-overkill" if file.label is None else "mistake-alt-escape",
            file=file.path.name,
            name=name,
            score=f"{file.score:.3f}",
            threshold=f"{threshold:.3f}",
        )
        score = wording.text("mistake-score", score=f"{file.score:.3f}", relation=relation(file.score, threshold))
        return GalleryFigure(self._source(file.picture), alternative, file.path.name, f"{name} · {score}")

    def _source(self, picture: bytes) -> str:
        if not self._beside:
            return data_uri("image/jpeg", picture)
        self._number += 1
        make_folder(self._folder)
        name = f"{self._number:05}.jpg"
        write_atomically(self._folder / name, picture)
        return f"{quote(os.fsencode(self._folder.name))}/{name}"


def relation(score: float, threshold: float) -> str:
    """Return a score as a share of the threshold, never rounded to 100 % from below or above."""
    share = 100 * score / threshold
    for digits in range(1, _MOST_DIGITS):
        shown = f"{share:.{digits}f}"
        if float(shown) != 100 or share == 100:  # noqa: PLR2004 - per cent
            return f"{shown} %"
    return f"{share:.{_MOST_DIGITS}f} %"


def grouped(
    gallery: Gallery, escapes: Sequence[ScoredFile], totals: Mapping[str, int], threshold: float, wording: Wording
) -> list[GalleryGroup]:
    """Return the escapes by class, the class with most escapes first.

    Args:
        gallery: stores the pictures.
        escapes: farthest from the threshold first.
        totals: class → number of its images.
        threshold: the one that applies.
        wording: of the report.

    Raises:
        Unavailable: as ``Gallery.figures``.
    """
    by_class: dict[str, list[ScoredFile]] = {}
    for file in escapes:
        by_class.setdefault(file.label or "", []).append(file)
    return [
        GalleryGroup(
            wording.text("group-of", name=name, count=len(files), total=totals[name]),
            gallery.figures(files, threshold, wording),
        )
        for name, files in sorted(by_class.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    ]
