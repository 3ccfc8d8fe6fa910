"""Images of defects beside a training: read once, scored by the finished model, never fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inspection.anomaly.alignment import require_aligned
from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.masking import MaskedLayout
from inspection.anomaly.methods.registry import FittedModel
from inspection.anomaly.training.fitting import FeatureStore, prepare_picture, score_features
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet, scan_images
from models.errors import DoesNotFit, InvalidInput


def read_defects(paths: Sequence[Path], good: TrainingSet, tracker: ProgressTracker, work: float) -> TrainingSet:
    """Read images of defects once, given as the good images are.

    Args:
        paths: the files, in any order.
        good: the good images of the training.
        tracker: told of each file.
        work: what one file counts for in the tracker.

    Raises:
        InvalidInput: ``image-good-and-defect`` when one lies among the good images too, ``no-image-usable``.
        TrainingCancelled: when the tracker was cancelled.
    """
    found = scan_images(paths, tracker, work, good.preprocessor)
    if not found.files:
        raise InvalidInput("no-image-usable", folder=str(paths[0].parent))
    good_digests = {digest for _, digest in good.files}
    for path, digest in found.files:
        if digest in good_digests:
            raise InvalidInput("image-good-and-defect", name=path.name)
    return found


def score_defects(
    store: FeatureStore,
    core: FittedModel,
    preprocessing: Preprocessing,
    defects: TrainingSet | None,
    tracker: ProgressTracker,
) -> tuple[list[float], dict[str, DoesNotFit]]:
    """Score images of defects by the finished model, as the training computes it.

    Returns:
        the scores, and path → why of the images that do not fit the model.

    Raises:
        InvalidInput: ``no-image-usable`` when none fits.
        UnreadableImage: ``image-changed`` and the like when an image is changed or removed meanwhile.
        TrainingCancelled: when the tracker was cancelled.
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
            scores.append(score_features(core, store.extractor.grid(prepared), MaskedLayout.of(picture, prepared)))
        tracker.advance(1, "fit", index + 1, len(defects.files))
    if not scores:
        raise InvalidInput("no-image-usable", folder=str(defects.files[0][0].parent))
    return scores, unfit
