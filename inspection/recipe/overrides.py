"""An item's own parameters over those of its pipeline's steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inspection.pipeline.definition import PipelineDefinition
from inspection.pipeline.validation import ValidatedPipeline, validate_definition
from models.errors import DoesNotFit, InvalidInput
from models.messages import LocalText


def merge_overrides(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with an item's parameters over those of its steps.

    Args:
        definition: JSON values of a ``PipelineDefinition``.
        overrides: step id → parameter → value; those of steps that are not there are ignored.
    """
    steps = [
        {**step, "parameters": {**step.get("parameters", {}), **overrides.get(step.get("id"), {})}}
        for step in definition.get("steps", [])
    ]
    return {**definition, "steps": steps}


def require_overrides_fit(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Check that overrides are objects of parameters for steps of the definition; their values are not checked.

    Raises:
        DoesNotFit: ``pipeline-without-step`` or ``pipeline-does-not-fit``.
    """
    steps = {step["id"] for step in definition["steps"]}
    for step, values in overrides.items():
        if step not in steps:
            raise DoesNotFit("pipeline-without-step", step=step)
        if not isinstance(values, Mapping):
            raise DoesNotFit("pipeline-does-not-fit", reason=step)


def resolve_pipeline(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> ValidatedPipeline:
    """Return the pipeline that runs for an item.

    Args:
        definition: JSON values of a ``PipelineDefinition``, of the form at least.
        overrides: step id → parameter → value.

    Raises:
        DoesNotFit: ``pipeline-without-step`` or ``pipeline-does-not-fit``, with the reason.
    """
    require_overrides_fit(definition, overrides)
    try:
        return validate_definition(PipelineDefinition.parse(merge_overrides(definition, overrides)))
    except InvalidInput as error:
        raise DoesNotFit("pipeline-does-not-fit", reason=LocalText.of(error.code, error.values)) from error


def check_definition(definition: Mapping[str, Any]) -> ValidatedPipeline:
    """Return the pipeline of a definition that can run without overrides.

    Raises:
        InvalidInput: as ``PipelineDefinition.parse`` and ``validate_definition``.
    """
    return validate_definition(PipelineDefinition.parse(dict(definition)))
