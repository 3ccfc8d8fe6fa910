"""Images of defects beside a training: read once, scored by the finished model, never fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inspection.anomaly.alignment import require_aligned
from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.masking import Extent
from inspection.anomaly.methods.registry import Core
from inspection.anomaly.training.fitting import FeatureStore, prepare_picture, score_features
from inspection.anomaly.training.progress import Course
from inspection.anomaly.training.training_set import Material, look_at
from models.errors import DoesNotFit, InvalidInput


def read_defects(paths: Sequence[Path], good: Material, course: Course, work: float) -> Material:
    """Read images of defects once, given as the good images are.

    Args:
        paths: the files, in any order.
        good: the good images of the training.
        course: told of each file.
        work: what one file counts for in the course.

    Raises:
        InvalidInput: ``image-good-and-defect`` when one lies among the good images too, ``no-image-usable``.
        TrainingCancelled: when the course was cancelled.
    """
    found = look_at(paths, course, work, good.view)
    if not found.files:
        raise InvalidInput("no-image-usable", folder=str(paths[0].parent))
    good_digests = {digest for _, digest in good.files}
    for path, digest in found.files:
        if digest in good_digests:
            raise InvalidInput("image-good-and-defect", name=path.name)
    return found


def score_defects(
    store: FeatureStore, core: Core, preprocessing: Preprocessing, defects: Material | None, course: Course
) -> tuple[list[float], dict[str, DoesNotFit]]:
    """Score images of defects by the finished model, as the training computes it.

    Returns:
        the scores, and path → why of the images that do not fit the model.

    Raises:
        InvalidInput: ``no-image-usable`` when none fits.
        UnreadableImage: ``image-changed`` and the like when an image is changed or removed meanwhile.
        TrainingCancelled: when the course was cancelled.
    """
    scores: list[float] = []
    unfit: dict[str, DoesNotFit] = {}
    if defects is None:
        return scores, unfit
    for index, ((path, _), (height, width)) in enumerate(zip(defects.files, defects.sizes, strict=True)):
        try:
            picture = defects.picture(index)
            prepared = prepare_picture(picture, store.scale)
            require_aligned(preprocessing, prepared, height, width)
        except DoesNotFit as error:
            unfit[str(path)] = error
        else:
            scores.append(score_features(core, store.extractor.grid(prepared), Extent.of(picture, prepared)))
        course.advance(1, "fit", index + 1, len(defects.files))
    if not scores:
        raise InvalidInput("no-image-usable", folder=str(defects.files[0][0].parent))
    return scores, unfit
