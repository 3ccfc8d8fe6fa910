"""Whether a pipeline can run, checked before it runs, by step and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from inspection.components.registry import Component, Parameters, components
from inspection.components.values import Kind
from inspection.model_files.step_models import StepModel, require_kind
from inspection.pipeline.definition import FORMAT_VERSION, INPUT, PipelineDefinition, PipelineStep
from models.errors import DoesNotFit, InvalidInput, UserFacingError
from models.messages import LocalText
from models.rejections import field_path, rejection

_MOST_PROBLEMS = 1000
"""Of the parameters of one step; each has a text, and nobody reads more."""


@dataclass(frozen=True, slots=True)
class ValidatedStep:
    """A step whose parameters are checked and whose inputs exist and fit."""

    id: str
    component: Component
    parameters: Parameters
    inputs: Mapping[str, str]

    def models(self) -> dict[str, str]:
        """Return the names of the models the step uses, by the parameters that name them."""
        named = {field: getattr(self.parameters, field) for field in self.component.models}
        return {field: str(name) for field, name in named.items() if name is not None}


@dataclass(frozen=True, slots=True)
class ValidatedPipeline:
    """A pipeline that can run; ``steps`` are in an order in which every input comes before its use."""

    definition: PipelineDefinition
    steps: tuple[ValidatedStep, ...]

    def unused_images(self) -> list[str]:
        """Return the ids of steps that give an image which no step takes: the pictures the pipeline shows."""
        used = {source for step in self.steps for source in step.inputs.values()}
        return [step.id for step in self.steps if step.component.output is Kind.IMAGE and step.id not in used]

    def models(self) -> set[str]:
        """Return the names of the models that steps use."""
        return {name for step in self.steps for name in step.models().values()}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a pipeline: error code, step, field within the step, and what the text needs."""

    code: str
    step: str
    field: str
    values: Mapping[str, object]

    def as_member(self) -> dict[str, object]:
        """Return the entry of ``validation_errors`` in a problem document."""
        return {
            "field": f"steps.{self.step}.{self.field}",
            "message": LocalText.of(self.code, {"step": self.step, "field": self.field, **self.values}),
            "value": self.values.get("value"),
        }


def validate_definition(definition: PipelineDefinition) -> ValidatedPipeline:
    """Check a definition and put its steps in order.

    Raises:
        InvalidInput: the first problem by step: ``pipeline-duplicate-step``, ``pipeline-unknown-component``,
            ``pipeline-parameter``, ``pipeline-unknown-input``, ``pipeline-missing-input``,
            ``pipeline-unknown-source``, ``pipeline-wrong-kind`` or ``pipeline-cycle``; its members list all of them.
            ``pipeline-too-new`` for a format this version does not know.
    """
    if definition.format_version > FORMAT_VERSION:
        raise InvalidInput("pipeline-too-new", version=definition.format_version, known=FORMAT_VERSION)
    known = components()
    problems: list[Problem] = []
    outputs: dict[str, Kind | None] = {INPUT: Kind.IMAGE}
    for step in definition.steps:
        if step.id in outputs:
            problems.append(Problem("pipeline-duplicate-step", step.id, "id", {}))
        outputs[step.id] = known[step.component].output if step.component in known else None
    steps: dict[str, ValidatedStep] = {}
    for step in definition.steps:
        found = known.get(step.component)
        if found is None:
            values = {"value": step.component, "known": ", ".join(sorted(known))}
            problems.append(Problem("pipeline-unknown-component", step.id, "component", values))
            continue
        problems.extend(_input_problems(step, found, outputs))
        try:
            parameters = found.parameters.model_validate(step.parameters)
        except ValidationError as error:
            problems.extend(_parameter_problems(step, error))
            continue
        steps[step.id] = ValidatedStep(step.id, found, parameters, step.inputs)
    if not problems:
        ordered, circle = _order(definition.steps)
        problems = [Problem("pipeline-cycle", name, "inputs", {"circle": ", ".join(circle)}) for name in circle]
        if not circle:
            return ValidatedPipeline(definition, tuple(steps[name] for name in ordered))
    raise _first_error(InvalidInput, problems)


def require_models_fit(pipeline: ValidatedPipeline, models: Mapping[str, StepModel]) -> None:
    """Check that the steps can use the models they name, and that their parameters can be meant with these.

    Args:
        pipeline: whose steps they are.
        models: by name, all that the steps use.

    Raises:
        DoesNotFit: ``pipeline-model-kind``, or the first problem that a component reports, as ``pipeline-model-class``;
            its members list all of that.
    """
    problems: list[Problem] = []
    for step in pipeline.steps:
        used = {field: models[name] for field, name in step.models().items()}
        for field, name in step.models().items():
            require_kind(used[field], step.component.models[field], step=step.id, field=field, name=name)
        found = step.component.parameter_problems(step.parameters, used)
        problems.extend(Problem(item.code, step.id, f"parameters.{item.field}", item.values) for item in found)
    if problems:
        raise _first_error(DoesNotFit, problems)


def _first_error(kind: type[UserFacingError], problems: Sequence[Problem]) -> UserFacingError:
    """Return the error of the first problem; its members list all of them."""
    first = problems[0]
    members: dict[str, object] = {"validation_errors": [problem.as_member() for problem in problems]}
    return kind(first.code, step=first.step, field=first.field, members=members, **first.values)


def _parameter_problems(step: PipelineStep, error: ValidationError) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False)[:_MOST_PROBLEMS]:
        name = field_path(item["loc"])
        field = f"parameters.{name}" if name else "parameters"
        given = item["input"] if isinstance(item["input"], (str, int, float, bool, type(None))) else None
        problems.append(Problem("pipeline-parameter", step.id, field, {"value": given, "reason": rejection(item)}))
    return problems


def _input_problems(step: PipelineStep, found: Component, outputs: Mapping[str, Kind | None]) -> list[Problem]:
    problems = []
    for port, source in step.inputs.items():
        field = f"inputs.{port}"
        if port not in found.inputs:
            ports = ", ".join(found.inputs)
            problems.append(Problem("pipeline-unknown-input", step.id, field, {"value": source, "known": ports}))
        elif source not in outputs:
            problems.append(Problem("pipeline-unknown-source", step.id, field, {"value": source}))
        elif outputs[source] not in {None, found.inputs[port].kind}:
            values = {"value": source, "wanted": found.inputs[port].kind.value, "given": outputs[source]}
            problems.append(Problem("pipeline-wrong-kind", step.id, field, values))
    for port, wanted in found.inputs.items():
        if wanted.required and port not in step.inputs:
            problems.append(Problem("pipeline-missing-input", step.id, f"inputs.{port}", {"value": None}))
    return problems


def _order(steps: tuple[PipelineStep, ...]) -> tuple[list[str], list[str]]:
    """Return the ids in order of use, and those that are left because they wait for each other (Kahn 1962)."""
    waiting = {step.id: {source for source in step.inputs.values() if source != INPUT} for step in steps}
    ordered: list[str] = []
    while True:
        ready = [name for name, needs in waiting.items() if needs <= set(ordered)]
        if not ready:
            return ordered, list(waiting)
        for name in ready:
            ordered.append(name)
            del waiting[name]
