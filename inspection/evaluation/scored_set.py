"""Labelled images with their scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from inspection.metrics import PixelScores


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """A labelled image with its score.

    Attributes:
        path: of the file.
        label: class of the defect; None for a good image.
        score: the model's.
        milliseconds: from the file to the heatmap.
        picture: JPEG of a wrong verdict, where pictures were requested.
    """

    path: Path
    label: str | None
    score: float
    milliseconds: float
    picture: bytes | None = None


@dataclass(slots=True)
class ScoredSet:
    """Labelled images with their scores.

    Attributes:
        model: name of the model's file.
        digest: of the model.
        threshold: the one that applies.
        own_threshold: the model's own.
        good: good images.
        defect: defective images.
        classes: of defects, sorted, including those without a usable image.
        pixels: pixel scores; None without masks.
        masks: number of defective images with a mask that is not empty.
        empty_masks: image files whose mask is empty; excluded from the pixel figures only.
        without_mask: defective images without a mask, where masks were given; excluded from the pixel figures only.
        unused_masks: files in the folder of masks that are the mask of no image, or a second one of an image.
        skipped: file → reason.
        transparent: number of images with transparent parts, which are seen on white.
        left_out: numbers of skipped good and defective images; a production line would not have judged them either.
    """

    model: str
    digest: str
    threshold: float
    own_threshold: float
    good: list[ScoredFile] = field(default_factory=list)
    defect: list[ScoredFile] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    pixels: PixelScores | None = None
    masks: int = 0
    empty_masks: list[Path] = field(default_factory=list)
    without_mask: list[Path] = field(default_factory=list)
    unused_masks: list[Path] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    transparent: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: {"good": 0, "defect": 0})

    @property
    def escapes(self) -> list[ScoredFile]:
        """Defective images judged OK, the lowest score first."""
        return sorted((file for file in self.defect if file.score <= self.threshold), key=lambda file: file.score)

    @property
    def overkill(self) -> list[ScoredFile]:
        """Good images judged NG, the highest score first."""
        return sorted((file for file in self.good if file.score > self.threshold), key=lambda file: -file.score)
