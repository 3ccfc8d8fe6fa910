"""The interface of components, and all components by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field

from inspection.components.numbers import JsonNumbers
from inspection.components.values import Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import ModelFinder, ModelKind, StepModel, require_kind
from models.errors import ImageFlowError, NotFound

AModel = TypeVar("AModel", bound=StepModel)
ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""Name of a model in parameters; its file is chosen where the pipeline runs."""


class InspectionCancelled(ImageFlowError):
    """The run was cancelled by its caller."""


class Parameters(JsonNumbers):
    """Base of every component's parameters: unknown fields are refused; each field has bounds and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Port:
    """One input of a component: its kind of value, and whether it must be connected."""

    kind: Kind
    required: bool = True
    description: str = ""


def picture_of(inputs: Mapping[str, StepValue]) -> Picture:
    """Return the picture at the port ``image``.

    Raises:
        TypeError: when it has another kind of value, which validation rules out.
    """
    picture = inputs["image"]
    if not isinstance(picture, Picture):
        raise TypeError(f"the port image has a {type(picture).__name__}")
    return picture


@dataclass(frozen=True, slots=True)
class StepContext:
    """The context of a step beside its inputs.

    Attributes:
        criteria: of the inspected item.
        find_model: returns the model of a name.
        step_id: of the step, for messages.
        cancel: set to cancel the run.
    """

    criteria: Criteria
    find_model: ModelFinder
    step_id: str = ""
    cancel: threading.Event | None = None

    def stop_if_cancelled(self) -> None:
        """Stop when the run was cancelled; called by long steps between their stages.

        Raises:
            InspectionCancelled: when it was cancelled.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise InspectionCancelled

    def model(self, field: str, name: str, *wanted: type[AModel]) -> AModel:
        """Return the model that a parameter of the step names.

        Args:
            field: the parameter.
            name: its value.
            wanted: the accepted classes of models.

        Raises:
            DoesNotFit: ``pipeline-model-kind`` when the model is of another kind.
        """
        found = self.find_model(name)
        require_kind(found, {kind.kind for kind in wanted}, step=self.step_id, field=field, name=name)
        if not isinstance(found, wanted):
            raise TypeError(f"{name} has kind {found.kind} but is a {type(found).__name__}")
        return found


@dataclass(frozen=True, slots=True)
class ParameterProblem:
    """A parameter that does not fit the models of its step: error code, field, and the values of the text."""

    code: str
    field: str
    values: Mapping[str, object]


def _no_problems(parameters: Parameters, models: Mapping[str, StepModel]) -> Iterable[ParameterProblem]:
    del parameters, models
    return ()


@dataclass(frozen=True, slots=True)
class Component:
    """A kind of processing step.

    Attributes:
        name: in pipeline definitions.
        title: for users.
        description: one sentence for users.
        parameters: pydantic model of its parameters.
        output: the kind of value that it returns.
        run: the processing; its first argument is an instance of ``parameters``.
        inputs: its ports by name.
        models: the parameters that name a model, each with the kinds of models it takes.
        parameter_problems: returns what is wrong with parameters, given their models by the parameters that name them.
    """

    name: str
    title: str
    description: str
    parameters: type[Parameters]
    output: Kind
    run: Callable[[Any, Mapping[str, StepValue], StepContext], StepValue]
    inputs: Mapping[str, Port] = field(default_factory=dict)
    models: Mapping[str, frozenset[ModelKind]] = field(default_factory=dict)
    parameter_problems: Callable[[Any, Mapping[str, StepModel]], Iterable[ParameterProblem]] = _no_problems

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the parameters."""
        return self.parameters.model_json_schema()

    def describe(self) -> dict[str, Any]:
        """Return name, texts, ports, output and parameter schema as JSON values."""
        return {
            "id": self.name,
            "name": self.title,
            "description": self.description,
            "inputs": {
                name: {"kind": port.kind.value, "required": port.required, "description": port.description}
                for name, port in self.inputs.items()
            },
            "output": self.output.value,
            "parameters": self.schema(),
        }


@cache
def components() -> Mapping[str, Component]:
    """Return every component by name."""
    from inspection.components.ai_detection import AI_DETECTION
    from inspection.components.align import ALIGN
    from inspection.components.anomaly import ANOMALY
    from inspection.components.barcode import BARCODE
    from inspection.components.color import COLOR
    from inspection.components.crop import CROP
    from inspection.components.filter import FILTER
    from inspection.components.ignore import IGNORE
    from inspection.components.measure import MEASURE
    from inspection.components.resize import RESIZE

    known = (RESIZE, CROP, IGNORE, ALIGN, ANOMALY, AI_DETECTION, BARCODE, MEASURE, COLOR, FILTER)
    return {found.name: found for found in known}


def component(name: str) -> Component:
    """Return one component.

    Raises:
        NotFound: ``component-unknown``.
    """
    known = components()
    if name not in known:
        raise NotFound("component-unknown", name=name, known=", ".join(sorted(known)))
    return known[name]
