"""From what is stored of an item to one validated value that it is inspected by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from inspection.judging.criteria import Criteria
from inspection.pipeline.criteria_fit import require_criteria_fit
from inspection.pipeline.validation import ValidatedPipeline
from inspection.recipe.criteria import item_criteria
from inspection.recipe.models import (
    KnownModel,
    chosen_names,
    lacks_model,
    recorded_classes,
    recorded_model,
    require_model_kinds,
    stored_names,
    threshold_model,
)
from inspection.recipe.overrides import merge_overrides, resolve_pipeline
from inspection.recipe.thresholds import (
    AppliedThreshold,
    ChosenThreshold,
    Origin,
    applied_threshold,
    own_threshold,
)
from models.errors import DoesNotFit


class ItemRecord(Protocol):
    """The columns of an item's record that a recipe is made of."""

    name: Any
    criteria: Any
    pipeline_parameters: Any


class PipelineRecord(Protocol):
    """The column of a pipeline's record that a recipe is made of."""

    definition: Any


@dataclass(frozen=True, slots=True)
class ItemSource:
    """What is stored of an item, as JSON values that nobody has checked.

    Attributes:
        name: of the item, for messages.
        definition: of its pipeline; None without one.
        overrides: step id → parameter → value.
        criteria: its judgement criteria.
    """

    name: str
    definition: Mapping[str, Any] | None
    overrides: Mapping[str, Any]
    criteria: Mapping[str, Any]

    @classmethod
    def of(cls, item: ItemRecord, pipeline: PipelineRecord | None) -> ItemSource:
        """Return what the records of an item and its pipeline hold."""
        definition = None if pipeline is None else pipeline.definition
        return cls(item.name, definition, item.pipeline_parameters, item.criteria)

    def with_models(self, replaced: Mapping[str, str]) -> ItemSource:
        """Return it with other models: name of a model that its steps name → name of the one in its place."""
        names = [name for name in replaced if name in self.model_names]
        if not names:
            return self
        steps = merge_overrides(self.definition or {}, self.overrides)["steps"]
        overrides = {step: dict(values) for step, values in self.overrides.items()}
        for step in steps:
            for field, value in step["parameters"].items():
                if isinstance(value, str) and value in names:
                    overrides.setdefault(step["id"], {})[field] = replaced[value]
        return replace(self, overrides=overrides)

    def with_overrides(self, overrides: Mapping[str, Mapping[str, Any]]) -> ItemSource:
        """Return it with further parameters over the item's own: step id → parameter → value."""
        merged = {step: {**self.overrides.get(step, {}), **values} for step, values in overrides.items()}
        return replace(self, overrides={**self.overrides, **merged})

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names of the models chosen for its steps, in the order of the steps; also when it cannot run."""
        return stored_names(self.definition, self.overrides)

    @property
    def lacks_model(self) -> bool:
        """Whether a step has no model or reference image yet; also when the item cannot run."""
        return lacks_model(self.definition, self.overrides)

    def resolved(self) -> ValidatedPipeline:
        """Return its pipeline with its parameters.

        Raises:
            DoesNotFit: ``item-without-pipeline``, or as ``resolve_pipeline``.
        """
        if self.definition is None:
            raise DoesNotFit("item-without-pipeline", item=self.name)
        return resolve_pipeline(self.definition, self.overrides)

    def threshold(
        self, models: Sequence[KnownModel], station: ChosenThreshold | None = None
    ) -> AppliedThreshold | None:
        """Return the threshold that applies to the item, also when it cannot run, so that it can be seen and mended.

        Args:
            models: the item's models that there are records of.
            station: from the settings of the station that inspects it.
        """
        own = own_threshold(self.criteria)
        model = threshold_model(models, own)
        return applied_threshold(
            item=own,
            station=station,
            model=model.threshold if model else None,
            model_sha256=model.sha256 if model else None,
        )

    def threshold_model(self, models: Sequence[KnownModel]) -> KnownModel | None:
        """Return the model whose scores the item's threshold is compared with."""
        return threshold_model(models, own_threshold(self.criteria))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an item is inspected by.

    Attributes:
        pipeline: with the item's parameters.
        criteria: the item's, with the threshold that applies where it is not the model's own.
        threshold: the threshold that applies; None without an anomaly model.
        models: the chosen models that there are records of, by the names in the pipeline.
    """

    pipeline: ValidatedPipeline
    criteria: Criteria
    threshold: AppliedThreshold | None
    models: Mapping[str, KnownModel]

    @property
    def skipped_thresholds(self) -> tuple[Origin, ...]:
        """Origins whose thresholds were chosen for another model and do not apply."""
        return self.threshold.skipped if self.threshold is not None else ()

    @property
    def unknown_models(self) -> tuple[str, ...]:
        """The chosen names that there is no record of."""
        return tuple(name for name in chosen_names(self.pipeline.steps) if name not in self.models)

    @property
    def recorded_model(self) -> KnownModel | None:
        """The model that results are recorded with."""
        return recorded_model(tuple(self.models.values()))

    @property
    def lacks_anomaly_model(self) -> bool:
        """Whether a step ``anomaly`` has no model yet."""
        chosen = set(chosen_names(self.pipeline.steps))
        return any(
            step.component.name == "anomaly" and not chosen.issuperset(step.models().values())
            for step in self.pipeline.steps
        )


def make_recipe(
    source: ItemSource, models: Sequence[KnownModel] = (), station: ChosenThreshold | None = None
) -> Recipe:
    """Return what an item is inspected by.

    Args:
        source: what is stored of it.
        models: those of ``source.model_names`` that there are records of.
        station: the threshold in the settings of the station that inspects it.

    Raises:
        DoesNotFit: ``item-without-pipeline``, ``item-criteria-invalid``, ``pipeline-without-step``,
            ``pipeline-does-not-fit``, ``pipeline-model-kind``, or as ``require_criteria_fit``.
    """
    pipeline = source.resolved()
    criteria = item_criteria(source.name, source.criteria)
    known = {model.name: model for model in models}
    require_model_kinds(pipeline, known)
    require_criteria_fit(pipeline, criteria, recorded_classes(known))
    used = {name: known[name] for name in source.model_names if name in known}
    threshold = source.threshold(tuple(used.values()), station)
    chosen = threshold if threshold is not None and threshold.origin != "model" else None
    own = {
        "threshold": chosen.value if chosen else None,
        "threshold_model": chosen.model_sha256 if chosen else None,
    }
    return Recipe(pipeline, criteria.model_copy(update=own), threshold, used)
