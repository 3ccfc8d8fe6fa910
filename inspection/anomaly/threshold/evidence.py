"""Scores to see the effect of a threshold on: those a model file holds, and those of images given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inspection.anomaly.bundle import Bundle
from inspection.anomaly.masking import score_picture
from inspection.anomaly.model import AnomalyModel
from inspection.anomaly.preprocessing import NO_PREPROCESSING, ImagePreprocessor
from inspection.anomaly.threshold.effect import Evidence
from inspection.imaging.datasets import defect_images, image_files
from inspection.imaging.files import read_image
from models.errors import DoesNotFit, InvalidInput, UnreadableImage

Progress = Callable[[int, int], None]


def gather_evidence(
    bundle: Bundle,
    name: str,
    good: Path | None = None,
    defect: Path | None = None,
    on_progress: Progress | None = None,
    preprocessor: ImagePreprocessor = NO_PREPROCESSING,
) -> tuple[Evidence, dict[Path, UnreadableImage | DoesNotFit]]:
    """Return the scores and, of images that cannot be used, file → why.

    Args:
        bundle: the model file.
        name: of it, for messages.
        good: folder of good images the model has not seen.
        defect: folder of images of defects; sub-folders that name good parts are left out. Without it the defects the
            model was trained with count.
        on_progress: called with images done and in all.
        preprocessor: gives each image to the model; see ``train_images``.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``, ``no-image-usable``.
    """
    goods = image_files(good) if good is not None else []
    defects = defect_images(defect) if defect is not None else []
    files = [*goods, *defects]
    if not files:
        return Evidence(bundle.manifest.scores, bundle.manifest.defect_scores), {}
    model = AnomalyModel(bundle, name)
    scores: dict[Path, float] = {}
    skipped: dict[Path, UnreadableImage | DoesNotFit] = {}
    for number, path in enumerate(files, start=1):
        try:
            scores[path] = score_picture(model, preprocessor(read_image(path))).score
        except (UnreadableImage, DoesNotFit) as error:
            skipped[path] = error
        if on_progress is not None:
            on_progress(number, len(files))
    if not scores:
        raise InvalidInput("no-image-usable", folder=str(files[0].parent))
    escaping = tuple(scores[path] for path in defects if path in scores)
    evidence = Evidence(
        bundle.manifest.scores,
        escaping if defect is not None else bundle.manifest.defect_scores,
        tuple(scores[path] for path in goods if path in scores),
    )
    return evidence, skipped
