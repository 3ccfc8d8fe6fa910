"""Measuring a model on images whose labels are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.model import AnomalyModel
from inspection.datasets import LabelledImage, labelled_images
from inspection.images import read_image
from inspection.metrics import PixelAuroc, f1_score, image_auroc, percentiles, rate
from models.errors import DoesNotFit, InvalidInput, NotFound, UnreadableImage
from models.messages import Language

_NO_CLASS = "defect"
Progress = Callable[[int, int], None]


def evaluate(
    model: AnomalyModel,
    good: Path,
    defect: Path,
    masks: Path | None = None,
    *,
    threshold: float | None = None,
    language: Language = "en",
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure ``model`` on good and defective images.

    Args:
        model: the model.
        good: folder of good images.
        defect: folder of defective images; sub-folders are classes of defects, those that name good parts are left out.
        masks: folder of masks under the same relative names, ``.png`` or ``_mask.png``; not 0 where the defect is.
        threshold: used in place of the model's own.
        language: of the messages in ``skipped``.
        on_progress: called with images done and in all.

    Returns:
        JSON values: ``image_auroc``, ``pixel_auroc`` (None without masks), ``escapes``, ``overkill`` (each ``count``,
        ``total``, ``rate``), ``threshold``, ``latency_ms`` (``p50``, ``p95``; from the file to the heatmap), ``f1``,
        ``classes`` (class → escapes), ``images`` (counts), ``masks`` (how many were found), ``skipped`` (file →
        message; unreadable, or far larger than the training images), ``model`` (digest).

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``, ``masks-not-found``, ``mask-size``, ``no-image-usable``.
    """
    if masks is not None and not masks.is_dir():
        raise NotFound("folder-missing", folder=str(masks))
    goods = labelled_images(good)
    # A folder of test images may hold the good ones beside the classes of defects.
    defects = [image for image in labelled_images(defect) if not image.good]
    if not defects:
        raise InvalidInput("folder-without-images", folder=str(defect))
    border = model.threshold if threshold is None else threshold
    run = _Evaluation(model, masks, len(goods) + len(defects), language, on_progress)
    good_scores = run.score_all(goods, good, defective=False)
    scores_by_class: dict[str, list[float]] = {}
    for name in sorted({image.label or _NO_CLASS for image in defects}):
        members = [image for image in defects if (image.label or _NO_CLASS) == name]
        scores_by_class[name] = run.score_all(members, defect, defective=True)
    defect_scores = [score for scores in scores_by_class.values() for score in scores]
    if not good_scores or not defect_scores:
        raise InvalidInput("no-image-usable", folder=str(defect if good_scores else good))
    if masks is not None and not run.masks_found:
        raise InvalidInput("masks-not-found", folder=str(masks))
    overkill = rate(sum(score > border for score in good_scores), len(good_scores))
    escapes = rate(sum(score <= border for score in defect_scores), len(defect_scores))
    return {
        "image_auroc": image_auroc(good_scores, defect_scores),
        "pixel_auroc": run.pixels.value() if masks is not None else None,
        "escapes": escapes,
        "overkill": overkill,
        "f1": f1_score(escapes, overkill),
        "threshold": border,
        "latency_ms": percentiles(run.milliseconds),
        "images": {"good": len(good_scores), "defect": len(defect_scores)},
        "classes": {
            name: {"escapes": rate(sum(score <= border for score in scores), len(scores))}
            for name, scores in scores_by_class.items()
        },
        "masks": run.masks_found,
        "skipped": run.skipped,
        "model": model.digest,
    }


class _Evaluation:
    def __init__(
        self,
        model: AnomalyModel,
        masks: Path | None,
        total: int,
        language: Language,
        on_progress: Progress | None,
    ) -> None:
        self._model = model
        self._language = language
        self._masks = masks
        self._total = total
        self._on_progress = on_progress
        self._done = 0
        self.pixels = PixelAuroc()
        self.milliseconds: list[float] = []
        self.skipped: dict[str, str] = {}
        self.masks_found = 0

    def score_all(self, images: Iterable[LabelledImage], root: Path, *, defective: bool) -> list[float]:
        scores = []
        for image in images:
            score = self._score(image.path, root, defective=defective)
            if score is not None:
                scores.append(score)
            self._done += 1
            if self._on_progress is not None:
                self._on_progress(self._done, self._total)
        return scores

    def _score(self, path: Path, root: Path, *, defective: bool) -> float | None:
        began = time.perf_counter()
        try:
            found = self._model.score(read_image(path))
        except (UnreadableImage, DoesNotFit) as error:
            self.skipped[str(path)] = error.text(self._language).detail
            return None
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        if self._masks is not None:
            if not defective:
                self.pixels.add(found.heatmap, None)
            else:
                mask = read_mask(self._masks, path, root, found.heatmap.shape)
                if mask is not None:
                    self.masks_found += 1
                    self.pixels.add(found.heatmap, mask)
        return found.score


def read_mask(masks: Path, image: Path, root: Path, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Return the mask of an image, True where the defect is; None when there is none.

    Args:
        masks: folder of the masks.
        image: the image file.
        root: folder the image's relative name begins at.
        shape: height and width of the image.

    Raises:
        InvalidInput: ``mask-size``.
        UnreadableImage: when the mask itself is damaged.
    """
    place = (masks / image.relative_to(root)).parent
    for name in (f"{image.stem}.png", f"{image.stem}_mask.png"):
        if (place / name).is_file():
            mask = read_image(place / name, mode="grey")
            if mask.shape != shape:
                raise InvalidInput("mask-size", mask=name, name=image.name)
            defective: NDArray[np.bool_] = mask > 0
            return defective
    return None
