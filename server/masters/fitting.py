"""Whether a pipeline can run, and whether it fits an inspection item with that item's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from inspection.pipeline.definition import PipelineDefinition
from inspection.pipeline.validation import validate_definition
from models.errors import DoesNotFit, InvalidInput
from models.messages import LocalText
from models.pipelines import Pipeline
from server.masters.repository import items_using


def checked_definition(definition: Mapping[str, Any]) -> PipelineDefinition:
    """Return a definition that can run.

    Raises:
        InvalidInput: what is wrong with it, by step and field; fields are named as in the request's body.
    """
    try:
        parsed = PipelineDefinition.parse(dict(definition))
        validate_definition(parsed)
    except InvalidInput as error:
        raise _named_in_body(error) from error
    return parsed


def _named_in_body(error: InvalidInput) -> InvalidInput:
    """Return ``error`` with its fields below ``definition``: a pipeline has a name of its own, too."""
    values, members = dict(error.values), dict(error.members)
    if isinstance(values.get("field"), str):
        values["field"] = f"definition.{values['field']}"
    problems = members.get("validation_errors")
    if isinstance(problems, list):
        members["validation_errors"] = [{**entry, "field": f"definition.{entry['field']}"} for entry in problems]
    return InvalidInput(error.code, members=members, **values)


def require_fit(
    session: Session, pipeline_id: str | None, parameters: Mapping[str, Any], *, item_id: str | None
) -> Pipeline | None:
    """Check that a pipeline runs with an item's parameters, and return it.

    Raises:
        DoesNotFit: ``pipeline-does-not-fit`` with the member ``inspection_context``.
    """
    context: dict[str, object] = {
        "inspection_context": {"session_id": None, "item_id": item_id, "pipeline_id": pipeline_id}
    }
    if pipeline_id is None:
        if parameters:
            raise DoesNotFit("pipeline-parameters-without", members=context)
        return None
    pipeline = session.get(Pipeline, pipeline_id)
    if pipeline is None or pipeline.deleted_at is not None:
        raise DoesNotFit("pipeline-not-there", members=context)
    _require_steps(pipeline.definition, parameters, context)
    return pipeline


def require_still_fits(session: Session, pipeline: Pipeline, definition: Mapping[str, Any]) -> None:
    """Check that every item that uses a pipeline still runs with a new definition of it.

    Raises:
        DoesNotFit: for the first item that does not, with the member ``inspection_context``.
    """
    for item in items_using(session, pipeline):
        context: dict[str, object] = {
            "inspection_context": {"session_id": None, "item_id": item.id, "pipeline_id": pipeline.id}
        }
        _require_steps(definition, item.pipeline_parameters, context)


def _require_steps(definition: Mapping[str, Any], parameters: Mapping[str, Any], context: dict[str, object]) -> None:
    """Check that a definition runs with an item's parameters."""
    steps = {step["id"] for step in definition["steps"]}
    for step, values in parameters.items():
        if step not in steps:
            raise DoesNotFit("pipeline-without-step", step=step, members=context)
        if not isinstance(values, dict):
            raise DoesNotFit("pipeline-does-not-fit", reason=step, members=context)
    merged = {
        **definition,
        "steps": [
            {**step, "parameters": {**step.get("parameters", {}), **parameters.get(step["id"], {})}}
            for step in definition["steps"]
        ],
    }
    try:
        checked_definition(merged)
    except InvalidInput as error:
        raise DoesNotFit(
            "pipeline-does-not-fit", reason=LocalText.of(error.code, error.values), members=context
        ) from error
