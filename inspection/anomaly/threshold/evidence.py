"""Scores a threshold is evaluated on: those stored in the model file, and those of further images."""

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
    """Return the scores, and file → error of the images that cannot be used.

    Args:
        bundle: the model file.
        name: of the model file, for messages.
        good: folder of good images not used in training.
        defect: folder of images of defects, except sub-folders named as good; None takes the defect
            scores in the file.
        on_progress: called with the number of images done and the total.
        preprocessor: applied to each image; see ``train_images``.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``, ``no-image-usable``.
    """
    good_files = image_files(good) if good is not None else []
    defect_files = defect_images(defect) if defect is not None else []
    files = [*good_files, *defect_files]
    if not files:
        return Evidence(bundle.manifest.scores, bundle.manifest.defect_scores, groups=bundle.manifest.score_groups), {}
    model = AnomalyModel(bundle, name)
    scores: dict[Path, float] = {}
    skipped: dict[Path, UnreadableImage | DoesNotFit] = {}
    for number, path in enumerate(files, start=1):
        try:
            scores[path] = score_picture(model, preprocessor(read_image(path, reading=bundle.manifest.reading))).score
        except (UnreadableImage, DoesNotFit) as error:
            skipped[path] = error
        if on_progress is not None:
            on_progress(number, len(files))
    if not scores:
        raise InvalidInput("no-image-usable", folder=str(files[0].parent))
    defect_scores = tuple(scores[path] for path in defect_files if path in scores)
    evidence = Evidence(
        bundle.manifest.scores,
        defect_scores if defect is not None else bundle.manifest.defect_scores,
        tuple(scores[path] for path in good_files if path in scores),
        bundle.manifest.score_groups,
    )
    return evidence, skipped
