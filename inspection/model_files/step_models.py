"""The models a pipeline step refers to by name, including reference images."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import ClassVar, Protocol

from models.errors import DoesNotFit


class ModelKind(StrEnum):
    """Kinds of models; a parameter of a step accepts one or several."""

    ANOMALY = "anomaly"
    DETECTOR = "detector"
    CLASSIFIER = "classifier"
    REFERENCE = "reference-image"


class StepModel(Protocol):
    """The common attributes of all models of pipeline steps.

    Attributes:
        kind: determines which steps can use it.
        name: of the file, for messages.
        digest: SHA-256 of the file, hexadecimal.
    """

    kind: ClassVar[ModelKind]

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    @property
    def digest(self) -> str: ...  # noqa: D102


ModelFinder = Callable[[str], StepModel]
"""Returns the model of a name; raises a ``UserFacingError`` when it does not exist."""


def require_kind(model: StepModel, wanted: Collection[ModelKind], *, step: str, field: str, name: str) -> None:
    """Check that a model is of a kind that a parameter of a step accepts.

    Args:
        model: the model found under ``name``.
        wanted: the accepted kinds.
        step: id of the step.
        field: name of the step's parameter.
        name: of the model, as given in the step.

    Raises:
        DoesNotFit: ``pipeline-model-kind``.
    """
    if model.kind not in wanted:
        raise DoesNotFit(
            "pipeline-model-kind",
            step=step,
            field=f"parameters.{field}",
            name=name,
            given=model.kind.value,
            wanted=", ".join(sorted(kind.value for kind in wanted)),
        )
