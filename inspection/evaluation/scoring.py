"""Scoring labelled images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inspection.evaluation.masks import (
    Marked,
    MaskMarks,
    find_masks,
    is_mostly_marked,
    read_masks,
    require_size,
)
from inspection.evaluation.pictures import picture_of
from inspection.evaluation.scored_set import ScoredFile, ScoredSet
from inspection.imaging.datasets import LabelledImage, good_images, image_files, labelled_images
from inspection.imaging.files import decode, read_image_bytes
from inspection.imaging.frames import Pixels
from inspection.imaging.placement import FloatMap
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.metrics import PixelScores
from models.errors import DoesNotFit, InvalidInput, NotFound, UnreadableImage
from models.messages import Language
from models.storage import is_folder

UNNAMED_CLASS = "defect"
"""Class of defective images that lie in no sub-folder."""
Progress = Callable[[int, int], None]


class ImageScore(Protocol):
    """Score of an image and its heatmap, float32 ``(H, W)``, in the same unit."""

    @property
    def score(self) -> float: ...  # noqa: D102 - above

    @property
    def heatmap(self) -> FloatMap: ...  # noqa: D102


class ScoringModel(Protocol):
    """A model that can be evaluated: scores images, larger is more anomalous.

    Attributes:
        name: of its file.
        digest: SHA-256 of its file.
        threshold: the model's own; a score strictly above it is NG.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    @property
    def digest(self) -> str: ...  # noqa: D102

    @property
    def threshold(self) -> float: ...  # noqa: D102

    def score(self, pixels: Pixels) -> ImageScore:
        """Return the score of an image, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``."""
        ...


def score_set(
    model: ScoringModel,
    good: Path,
    defect: Path,
    masks: Path | None = None,
    *,
    threshold: float | None = None,
    pictures: bool = False,
    language: Language = "en",
    on_progress: Progress | None = None,
    reading: Reading = AS_DECLARED,
    marks: MaskMarks = "auto",
) -> ScoredSet:
    """Return good and defective images with their scores.

    Args:
        model: the model.
        good: folder of good images; where sub-folders of good parts exist, other sub-folders are excluded.
        defect: folder of defective images; sub-folders are classes of defects, those of good parts are excluded.
        masks: folder of masks as ``find_masks`` finds them.
        threshold: replaces the model's own.
        pictures: whether to draw each wrong verdict, for a report.
        language: of the messages in ``skipped``.
        on_progress: called with the numbers of finished images and of all.
        reading: how the images are read: as those of the model's training were.
        marks: which pixels of a mask are the defect.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``, ``evaluation-same-images``, ``masks-not-found``, ``mask-photograph``,
            ``mask-size``, ``masks-look-inverted``, ``no-image-usable``, ``masks-without-mark``.
        UnreadableImage: when a mask is damaged.
    """
    if masks is not None and not is_folder(masks):
        raise NotFound("folder-missing", folder=str(masks))
    goods = good_images(good).files
    # A folder of test images may hold the good ones beside the classes of defects.
    defects = [image for image in labelled_images(defect) if not image.good]
    if not defects:
        raise InvalidInput("folder-without-images", folder=str(defect))
    _require_different(goods, good, defects, defect)
    if masks is not None:
        _require_masks(masks, [image.path for image in defects], defect, marks, reading)
    applied = model.threshold if threshold is None else threshold
    found = ScoredSet(model.name, model.digest, applied, model.threshold)
    found.classes = tuple(sorted({image.label or UNNAMED_CLASS for image in defects}))
    found.pixels = None if masks is None else PixelScores()
    if masks is not None:
        found.unused_masks = _unused_masks(masks, _tasks(goods, good, defects, defect))
    run = _Run(model, found, masks, pictures, language, reading, marks)
    total = len(goods) + len(defects)
    for done, (image, root, label) in enumerate(_tasks(goods, good, defects, defect), start=1):
        run.score(image, root, label)
        if on_progress is not None:
            on_progress(done, total)
    if not found.good or not found.defect:
        raise InvalidInput("no-image-usable", folder=str(defect if found.good else good))
    if masks is not None and not found.masks:
        raise InvalidInput("masks-without-mark", folder=str(masks))
    return found


def _require_masks(masks: Path, defects: Iterable[Path], defect: Path, marks: MaskMarks, reading: Reading) -> None:
    """Check all masks before scoring, which takes long."""
    existing = [found for found in (find_masks(masks, image, defect) for image in defects) if found]
    if not existing:
        raise InvalidInput("masks-not-found", folder=str(masks))
    mostly_marked = sum(is_mostly_marked(read_masks(found, marks, reading)) for found in existing)
    if marks == "auto" and 2 * mostly_marked > len(existing):
        raise InvalidInput("masks-look-inverted", folder=str(masks), count=mostly_marked, total=len(existing))


def _unused_masks(masks: Path, images: Iterable[tuple[Path, Path, str | None]]) -> list[Path]:
    """Return the pictures in the folder of masks that are the mask of no image."""
    used: set[Path] = set()
    for image, root, label in images:
        used.update(find_masks(masks, image, root))
        if label is None:
            # Masks of good images may lie in a folder for them; nothing is read from these.
            used.update(find_masks(masks, image, root.parent))
    return [path for path in image_files(masks) if path not in used]


def _require_different(goods: list[Path], good: Path, defects: list[LabelledImage], defect: Path) -> None:
    named_good = {path.resolve() for path in goods}
    both = [image.path for image in defects if image.path.resolve() in named_good]
    if both:
        raise InvalidInput(
            "evaluation-same-images", count=len(both), good=str(good), defect=str(defect), name=both[0].name
        )


def _tasks(
    goods: Iterable[Path], good: Path, defects: Iterable[LabelledImage], defect: Path
) -> Iterable[tuple[Path, Path, str | None]]:
    for path in goods:
        yield path, good, None
    for image in defects:
        yield image.path, defect, image.label or UNNAMED_CLASS


@dataclass(frozen=True, slots=True)
class _Run:
    model: ScoringModel
    found: ScoredSet
    masks: Path | None
    pictures: bool
    language: Language
    reading: Reading
    marks: MaskMarks

    def score(self, path: Path, root: Path, label: str | None) -> None:
        began = time.perf_counter()
        try:
            decoded = decode(read_image_bytes(path), name=path.name, reading=self.reading)
            pixels = decoded.pixels
            scored = self.model.score(pixels)
        except (UnreadableImage, DoesNotFit) as error:
            self.found.skipped[str(path)] = error.text(self.language).detail
            self.found.left_out["good" if label is None else "defect"] += 1
            return
        milliseconds = (time.perf_counter() - began) * 1000
        self.found.transparent += decoded.transparent
        mask = None if self.masks is None or label is None else self._mask(path, root, scored.heatmap.shape)
        if self.found.pixels is not None and (label is None or mask is not None):
            self.found.pixels.add(scored.heatmap, mask)
        wrong = (scored.score > self.found.threshold) is (label is None)
        picture = None
        if wrong and self.pictures:
            picture = picture_of(pixels, scored.heatmap, scored.score, self.found.threshold, mask)
        file = ScoredFile(path, label, scored.score, milliseconds, picture)
        (self.found.good if label is None else self.found.defect).append(file)

    def _mask(self, path: Path, root: Path, shape: tuple[int, ...]) -> Marked | None:
        places = [] if self.masks is None else find_masks(self.masks, path, root)
        if not places:
            self.found.without_mask.append(path)
            return None
        mask = read_masks(places, self.marks, self.reading)
        require_size(mask, places[0], path, shape)
        if not mask.any():
            # An unmarked defect: its pixels are of unknown class.
            self.found.empty_masks.append(path)
            return None
        self.found.masks += 1
        return mask
