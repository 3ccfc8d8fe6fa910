"""Running a model over images whose labels are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from inspection.evaluation.masks import Marked, find_mask, read_mask, require_size
from inspection.evaluation.pictures import picture_of
from inspection.imaging.datasets import LabelledImage, good_images, labelled_images
from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from inspection.imaging.placement import FloatMap
from inspection.metrics import PixelScores
from models.errors import DoesNotFit, InvalidInput, NotFound, UnreadableImage
from models.messages import Language
from models.storage import is_folder

UNNAMED_CLASS = "defect"
"""Class of defective images that lie in no sub-folder."""
Progress = Callable[[int, int], None]


class ImageScore(Protocol):
    """What a model says of an image: its score and a float32 map ``(H, W)`` over it in the same unit."""

    @property
    def score(self) -> float: ...  # noqa: D102 - above

    @property
    def heatmap(self) -> FloatMap: ...  # noqa: D102


class ScoringModel(Protocol):
    """What can be evaluated: anything that scores images, larger being stranger.

    Attributes:
        name: of its file.
        digest: SHA-256 of its file.
        threshold: its own; a score strictly above it is NG.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    @property
    def digest(self) -> str: ...  # noqa: D102

    @property
    def threshold(self) -> float: ...  # noqa: D102

    def score(self, pixels: Pixels) -> ImageScore:
        """Score an image, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``."""
        ...


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """An image with its label and its score.

    Attributes:
        path: of the file.
        label: class of the defect; None for a good image.
        score: the model's.
        milliseconds: from the file to the heatmap.
        picture: JPEG of a wrong verdict, where pictures were asked for.
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
        threshold: that counts here.
        own_threshold: the model's own.
        good: good images.
        defect: defective images.
        classes: of defects, sorted, those without a usable image too.
        pixels: counts of the pixels; None without masks.
        masks: how many defective images have a mask that marks something.
        empty_masks: files whose mask marks nothing; they count for images and not for pixels.
        skipped: file → why.
        left_out: how many good and defective images that is; a line would not have judged them either.
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
    skipped: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=lambda: {"good": 0, "defect": 0})

    @property
    def escapes(self) -> list[ScoredFile]:
        """Defective images called OK, the lowest score first."""
        return sorted((file for file in self.defect if file.score <= self.threshold), key=lambda file: file.score)

    @property
    def overkill(self) -> list[ScoredFile]:
        """Good images called NG, the highest score first."""
        return sorted((file for file in self.good if file.score > self.threshold), key=lambda file: -file.score)


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
) -> ScoredSet:
    """Score good and defective images.

    Args:
        model: the model.
        good: folder of good images; beside sub-folders that name good parts others are left out.
        defect: folder of defective images; sub-folders are classes of defects, those that name good parts are left out.
        masks: folder of masks under the same relative names, ``.png`` or ``_mask.png``; not 0 where the defect is.
        threshold: used in place of the model's own.
        pictures: also draw each wrong verdict, for a report.
        language: of the messages in ``skipped``.
        on_progress: called with images done and in all.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``, ``evaluation-same-images``, ``masks-not-found``, ``mask-photograph``,
            ``mask-size``, ``no-image-usable``.
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
        _require_masks(masks, [image.path for image in defects], defect)
    border = model.threshold if threshold is None else threshold
    found = ScoredSet(model.name, model.digest, border, model.threshold)
    found.classes = tuple(sorted({image.label or UNNAMED_CLASS for image in defects}))
    found.pixels = None if masks is None else PixelScores()
    run = _Run(model, found, masks, pictures, language)
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


def _require_masks(masks: Path, defects: Iterable[Path], defect: Path) -> None:
    """Look at all masks before any image is scored, which takes long."""
    there = [mask for mask in (find_mask(masks, image, defect) for image in defects) if mask is not None]
    if not there:
        raise InvalidInput("masks-not-found", folder=str(masks))
    for mask in there:
        read_mask(mask)


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

    def score(self, path: Path, root: Path, label: str | None) -> None:
        began = time.perf_counter()
        try:
            pixels = read_image(path)
            said = self.model.score(pixels)
        except (UnreadableImage, DoesNotFit) as error:
            self.found.skipped[str(path)] = error.text(self.language).detail
            self.found.left_out["good" if label is None else "defect"] += 1
            return
        milliseconds = (time.perf_counter() - began) * 1000
        mask = None if self.masks is None or label is None else self._mask(path, root, said.heatmap.shape)
        if self.found.pixels is not None and (label is None or mask is not None):
            self.found.pixels.add(said.heatmap, mask)
        wrong = (said.score > self.found.threshold) is (label is None)
        picture = None
        if wrong and self.pictures:
            picture = picture_of(pixels, said.heatmap, said.score, self.found.threshold, mask)
        file = ScoredFile(path, label, said.score, milliseconds, picture)
        (self.found.good if label is None else self.found.defect).append(file)

    def _mask(self, path: Path, root: Path, shape: tuple[int, ...]) -> Marked | None:
        place = None if self.masks is None else find_mask(self.masks, path, root)
        if place is None:
            return None
        mask = read_mask(place)
        require_size(mask, place, path, shape)
        if not mask.any():
            # A defect that nobody marked: its pixels are neither good ones nor defective ones.
            self.found.empty_masks.append(path)
            return None
        self.found.masks += 1
        return mask
