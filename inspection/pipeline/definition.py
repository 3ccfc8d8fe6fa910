"""Pipeline definitions: versioned JSON, a directed acyclic graph of steps."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InvalidInput, NotFound
from models.numbers import Whole
from models.rejections import not_json, rejection

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FORMAT_VERSION = 1
INPUT = "input"
"""What steps call the image that the pipeline is run on."""
_MOST_STEPS = 100
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class PipelineStep(BaseModel):
    """The use of a component in a pipeline.

    Attributes:
        id: unique within the pipeline; other steps name it in their inputs.
        component: name of the component.
        parameters: by name; those left out take their defaults.
        inputs: port of the component → ``input`` or the id of another step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=64, pattern=_NAME)
    component: str = Field(min_length=1, max_length=64)
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)


class PipelineDefinition(BaseModel):
    """A pipeline as it is stored and sent.

    Attributes:
        format_version: of this format; newer ones are refused.
        name: for people.
        description: for people.
        steps: in any order; their inputs say which follows which.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Whole = Field(default=FORMAT_VERSION, ge=1)
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2000)
    steps: tuple[PipelineStep, ...] = Field(min_length=1, max_length=_MOST_STEPS)

    @classmethod
    def parse(cls, value: object) -> PipelineDefinition:
        """Read a definition from JSON text or from JSON values; ``validate_definition`` then checks what it means.

        Raises:
            InvalidInput: ``pipeline-not-json``, ``pipeline-too-new`` or ``pipeline-malformed``, whose members list
                every wrong field.
        """
        if isinstance(value, (str, bytes)):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError) as error:
                raise InvalidInput("pipeline-not-json", reason=not_json(error)) from error
        version = value.get("format_version", FORMAT_VERSION) if isinstance(value, dict) else FORMAT_VERSION
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise InvalidInput("pipeline-too-new", version=version, known=FORMAT_VERSION)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            problems = [
                {
                    "field": _readable(item["loc"], value),
                    "message": rejection(item),
                    "value": _plain(item["input"]),
                }
                for item in _outermost_errors(error)
            ]
            raise InvalidInput(
                "pipeline-malformed",
                field=problems[0]["field"],
                reason=problems[0]["message"],
                members={"validation_errors": problems},
            ) from error


def default_definition() -> PipelineDefinition:
    """Return the pipeline for good-only inspection: anomaly → overlay."""
    return ready_definition("anomaly")


def ready_names() -> list[str]:
    """Return the names of the pipelines that come with the product."""
    folder = files("resources") / "pipelines"
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


@cache
def ready_definition(name: str) -> PipelineDefinition:
    """Return a pipeline that comes with the product.

    Raises:
        NotFound: ``pipeline-not-ready``, which lists the names there are.
    """
    if name not in ready_names():
        raise NotFound("pipeline-not-ready", name=name, known=", ".join(ready_names()))
    return PipelineDefinition.parse((files("resources") / "pipelines" / f"{name}.json").read_text(encoding="utf-8"))


def _outermost_errors(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors without that of a list that is too short only because its entries are wrong."""
    found = error.errors()
    inner = {item["loc"][0] for item in found if len(item["loc"]) > 1}
    return [item for item in found if len(item["loc"]) != 1 or item["loc"][0] not in inner]


def _readable(location: tuple[int | str, ...], value: object) -> str:
    """Return a field's path with the step's id instead of its position, where it has one."""
    parts = [str(part) for part in location]
    if len(location) > 1 and location[0] == "steps" and isinstance(location[1], int) and isinstance(value, dict):
        steps = value.get("steps")
        step = steps[location[1]] if isinstance(steps, list) else None
        if isinstance(step, dict) and isinstance(step.get("id"), str):
            parts[1] = step["id"]
    return ".".join(parts) or "pipeline"


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool, type(None))) else None
