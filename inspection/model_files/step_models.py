"""What a step may use by name: models of every kind, and reference images."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import ClassVar, Protocol

from models.errors import DoesNotFit


class ModelKind(StrEnum):
    """Kinds of models; a field of a step takes one kind, or several."""

    ANOMALY = "anomaly"
    DETECTOR = "detector"
    CLASSIFIER = "classifier"
    REFERENCE = "reference-image"


class StepModel(Protocol):
    """What every model has that a step may use.

    Attributes:
        kind: says which steps can use it.
        name: of its file, for messages.
        digest: SHA-256 of its file, hexadecimal.
    """

    kind: ClassVar[ModelKind]

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    @property
    def digest(self) -> str: ...  # noqa: D102


ModelFinder = Callable[[str], StepModel]
"""Gives the model of a name; raises a ``UserFacingError`` when there is none."""


def require_kind(model: StepModel, wanted: Collection[ModelKind], *, step: str, field: str, name: str) -> None:
    """Check that a model is of a kind that a field of a step takes.

    Args:
        model: what was found under ``name``.
        wanted: the kinds that fit.
        step: id of the step.
        field: of the step's parameters.
        name: of the model, as the step says it.

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
