"""The kinds of processing there are, by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from inspection.components.values import Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import ModelFinder, ModelKind, StepModel, require_kind
from models.errors import ImageFlowError, NotFound

AModel = TypeVar("AModel", bound=StepModel)
ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""What a parameter calls a model; whoever runs the pipeline says which file that is."""


class InspectionCancelled(ImageFlowError):
    """The run was cancelled by whoever asked for it; no error of anybody."""


class Parameters(BaseModel):
    """Base of every component's parameters: unknown ones are refused, each has bounds and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Port:
    """One input of a component: the kind of value it takes, and whether it must be connected."""

    kind: Kind
    required: bool = True
    description: str = ""


def picture_of(inputs: Mapping[str, StepValue]) -> Picture:
    """Return the picture at the port ``image``.

    Raises:
        TypeError: when there is something else, which validation does not let happen.
    """
    picture = inputs["image"]
    if not isinstance(picture, Picture):
        raise TypeError(f"a step takes a picture and was given a {type(picture).__name__}")
    return picture


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use beside its inputs.

    Attributes:
        criteria: the rule of the item that is inspected.
        find_model: gives the model of a name.
        step_id: of the step, for messages.
        cancel: set when whoever asked for the run does not want it any more.
    """

    criteria: Criteria
    find_model: ModelFinder
    step_id: str = ""
    cancel: threading.Event | None = None

    def stop_if_cancelled(self) -> None:
        """End here when the run was cancelled; for steps that take long, between their parts.

        Raises:
            InspectionCancelled: when it was.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise InspectionCancelled

    def model(self, field: str, name: str, *wanted: type[AModel]) -> AModel:
        """Return the model that a parameter of the step names.

        Args:
            field: the parameter.
            name: its value.
            wanted: the classes of models that fit.

        Raises:
            DoesNotFit: ``pipeline-model-kind`` when it is a model of another kind.
        """
        found = self.find_model(name)
        require_kind(found, {kind.kind for kind in wanted}, step=self.step_id, field=field, name=name)
        if not isinstance(found, wanted):
            raise TypeError(f"{name} says it is of kind {found.kind} and is a {type(found).__name__}")
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
    """A kind of processing.

    Attributes:
        name: what pipelines call it.
        title: what people call it.
        description: one sentence.
        parameters: pydantic model of its parameters.
        output: the kind of value it gives.
        run: the processing; parameters are an instance of ``parameters``.
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
        """Return what a list of components tells: name, texts, ports, output and parameter schema, as JSON values."""
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


def components() -> dict[str, Component]:
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
