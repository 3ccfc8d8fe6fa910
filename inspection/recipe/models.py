"""Which models an item's pipeline names, and which of them decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from inspection.components.registry import Component, components
from inspection.model_files.step_models import ModelKind
from inspection.pipeline.preprocessing_records import steps_before
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from inspection.recipe.overrides import merge_overrides
from inspection.recipe.thresholds import ChosenThreshold, own_threshold
from models.errors import DoesNotFit


class ModelRecord(Protocol):
    """The columns of a model file's record that a recipe is made of."""

    id: Any
    model_kind: Any
    sha256: Any
    metrics: Any


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file that there is a record of.

    Attributes:
        name: as pipelines name it: the id of its record.
        kind: a ``ModelKind``, or the kind of a later version.
        sha256: digest of its file, hexadecimal.
        threshold: the model's own; None for models without scores.
        classes: of a detector or classifier; None where its record does not say.
    """

    name: str
    kind: str
    sha256: str
    threshold: float | None = None
    classes: tuple[str, ...] | None = None

    @classmethod
    def of(cls, record: ModelRecord) -> KnownModel:
        """Return the model of a record."""
        chosen = own_threshold({"threshold": record.metrics.get("threshold")})
        # Figures of each class, as in a detector's manifest, or their names alone.
        given = record.metrics.get("classes")
        named = isinstance(given, list | Mapping) and all(isinstance(name, str) for name in given)
        classes = tuple(given) if named and given else None
        return cls(record.id, record.model_kind, record.sha256, chosen.value if chosen else None, classes)


def is_chosen(component: Component, field: str, name: str) -> bool:
    """Return whether a name is that of a model; the default of the parameter means that none was chosen."""
    return bool(name != component.parameters.model_fields[field].default)


def chosen_names(steps: Iterable[ValidatedStep]) -> tuple[str, ...]:
    """Return the names of the models and reference images that are chosen for steps, in the order of their use."""
    names = {
        name: None for step in steps for field, name in step.models().items() if is_chosen(step.component, field, name)
    }
    return tuple(names)


def names_before(pipeline: ValidatedPipeline, step_id: str) -> tuple[str, ...]:
    """Return the names of the models that are chosen for the steps before a step: those its preprocessing needs."""
    return chosen_names(steps_before(pipeline, step_id))


def stored_names(definition: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the chosen models of an item as it is stored, even when its pipeline cannot run.

    Args:
        definition: JSON values of its pipeline; None without one.
        overrides: step id → parameter → value; what is no object is ignored.
    """
    return tuple(dict.fromkeys(name for name in _stored(definition, overrides) if name is not None))


def lacks_model(definition: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> bool:
    """Return whether a step of an item as it is stored has no model or reference image yet."""
    return any(name is None for name in _stored(definition, overrides))


def _stored(definition: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> Iterator[str | None]:
    """Yield the model of each parameter that needs one, None where none is chosen."""
    known = components()
    usable = {step: values for step, values in overrides.items() if isinstance(values, Mapping)}
    for step in merge_overrides(definition or {}, usable)["steps"]:
        component = known.get(step.get("component"))
        if component is None:
            continue
        for field in component.models:
            default = component.parameters.model_fields[field].default
            name = step["parameters"].get(field, default)
            if name is not None:
                yield name if isinstance(name, str) and is_chosen(component, field, name) else None


def anomaly_models(models: Sequence[KnownModel]) -> tuple[KnownModel, ...]:
    """Return the models that score images."""
    return tuple(model for model in models if model.kind == ModelKind.ANOMALY)


def threshold_model(models: Sequence[KnownModel], own: ChosenThreshold | None) -> KnownModel | None:
    """Return the model whose scores an item's threshold is compared with; None without one.

    Args:
        models: the item's, in the order of their use.
        own: the item's own threshold; of several models the one it was chosen for is returned, else the first.
    """
    scoring = anomaly_models(models)
    named = [model for model in scoring if own is not None and model.sha256 == own.model_sha256]
    return next(iter(named or scoring), None)


def recorded_model(models: Sequence[KnownModel]) -> KnownModel | None:
    """Return the model that a result is recorded with: the first that scores images, else the first that detects."""
    detecting = [model for model in models if model.kind != ModelKind.REFERENCE]
    return next(iter(anomaly_models(models) or detecting), None)


def recorded_classes(models: Mapping[str, KnownModel]) -> Callable[[str], Collection[str] | None]:
    """Return the function that gives the classes of models by their records, for ``require_criteria_fit``."""

    def classes_of(name: str) -> Collection[str] | None:
        known = models.get(name)
        return None if known is None else known.classes

    return classes_of


def require_model_kinds(pipeline: ValidatedPipeline, models: Mapping[str, KnownModel]) -> None:
    """Check that known models are of kinds their steps can use; models there is no record of are not checked.

    Raises:
        DoesNotFit: ``pipeline-model-kind``.
    """
    for step in pipeline.steps:
        for field, name in step.models().items():
            wanted = sorted(kind.value for kind in step.component.models[field])
            known = models.get(name)
            if known is not None and known.kind not in wanted:
                raise DoesNotFit(
                    "pipeline-model-kind",
                    step=step.id,
                    field=f"parameters.{field}",
                    name=name,
                    given=known.kind,
                    wanted=", ".join(wanted),
                )
