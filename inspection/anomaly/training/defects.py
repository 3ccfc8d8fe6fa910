"""Images of defects beside a training: scored by the final model for the threshold, never fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inspection.anomaly.alignment import require_aligned
from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.masking import MaskedLayout
from inspection.anomaly.methods.registry import FittedModel
from inspection.anomaly.network_input import prepare_picture
from inspection.anomaly.training.fitting import FeatureStore, score_features
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet, scan_images
from models.errors import DoesNotFit, InvalidInput


def read_defects(paths: Sequence[Path], good: TrainingSet, tracker: ProgressTracker, work: float) -> TrainingSet:
    """Read images of defects through the preprocessing of the good images.

    Args:
        paths: the files, in any order.
        good: the good images of the training.
        tracker: advanced by each file.
        work: work units of one file.

    Raises:
        InvalidInput: ``image-good-and-defect`` when a file is also among the good images, ``no-image-usable``.
        TrainingCancelled: when the training was cancelled.
    """
    found = scan_images(paths, tracker, work, good.preprocessor, good.reading)
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
    """Score images of defects with the final model, as the training computes scores.

    Returns:
        the scores, and path → error for the images that do not fit the model.

    Raises:
        InvalidInput: ``no-image-usable`` when no image fits.
        UnreadableImage: ``image-changed`` and the like when an image was changed or removed in the meantime.
        TrainingCancelled: when the training was cancelled.
    """
    scores: list[float] = []
    rejected: dict[str, DoesNotFit] = {}
    if defects is None:
        return scores, rejected
    for index, ((path, _), (height, width)) in enumerate(zip(defects.files, defects.sizes, strict=True)):
        try:
            picture = defects.picture(index)
            prepared = prepare_picture(picture, preprocessing)
            require_aligned(preprocessing, prepared, height, width)
        except DoesNotFit as error:
            rejected[str(path)] = error
        else:
            scores.append(
                score_features(
                    core, store.extractor.grid(prepared, preprocessing.tile), MaskedLayout.of(picture, prepared)
                )
            )
        tracker.advance(1, "defects", index + 1, len(defects.files))
    if not scores:
        raise InvalidInput("no-image-usable", folder=str(defects.files[0][0].parent))
    return scores, rejected
