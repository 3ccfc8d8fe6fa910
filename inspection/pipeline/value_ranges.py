"""The range of values of deep images: the one that a pipeline's models were trained with."""

from __future__ import annotations

from collections.abc import Iterable

from inspection.imaging.frames import Frame
from inspection.imaging.value_range import ValueRange
from inspection.model_files.step_models import StepModel
from models.errors import DoesNotFit


def range_of_models(models: Iterable[StepModel], given: ValueRange | None = None) -> ValueRange | None:
    """Return the range that deep images are read with: that of the models, else the given one; None without either.

    Args:
        models: of the pipeline.
        given: by the user.

    Raises:
        DoesNotFit: ``model-range-differs`` when two of them differ, before any image is read.
    """
    chosen = given
    for model in models:
        own = _range_of(model)
        if own is None:
            continue
        if chosen is not None and own != chosen:
            raise DoesNotFit("model-range-differs", name=model.name, range=str(own), given=str(chosen))
        chosen = own
    return chosen


def require_range_of_models(frame: Frame, models: Iterable[StepModel]) -> None:
    """Check that a deep image was read with the range of the models that score it.

    Raises:
        DoesNotFit: ``image-range-differs``.
    """
    for model in models:
        own = _range_of(model)
        if own is not None and own != frame.values:
            raise DoesNotFit("image-range-differs", name=model.name, range=str(own), given=str(frame.values))


def _range_of(model: StepModel) -> ValueRange | None:
    from inspection.anomaly.model import AnomalyModel

    return model.manifest.reading.values if isinstance(model, AnomalyModel) else None
