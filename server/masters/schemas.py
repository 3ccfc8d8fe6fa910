"""Targets, items, pipelines and defect classes on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.numbers import Whole
from sync.shared.schemas import (
    LEFT_OUT,
    Changes,
    Code,
    Flag,
    GivenMoment,
    Id,
    JsonObject,
    Moment,
    Name,
    RecordId,
    Reply,
    Request,
    Text,
    read_only,
)

_CRITERIA = (
    "Judgement criteria. `threshold_model`, the SHA-256 of a model file, says which model `threshold` was chosen for: "
    "with another one the item's threshold does not count. Without it, it counts for every model."
)


Criteria = Annotated[JsonObject, Field(description=_CRITERIA, json_schema_extra={"x-schema": "Criteria"})]
Definition = Annotated[
    JsonObject,
    Field(
        description="Steps and their inputs; what steps there are says `/components`.",
        json_schema_extra={"x-schema": "PipelineDefinition"},
    ),
]
Parameters = Annotated[
    JsonObject,
    Field(
        description="Step id → parameter → value, over the pipeline's own.",
        json_schema_extra={"additionalProperties": {"type": "object", "additionalProperties": True}},
    ),
]


class MasterChanges(Changes):
    """Changes to a master."""

    id: RecordId = read_only()
    created_at: GivenMoment = read_only()
    updated_at: GivenMoment = read_only()
    rev: Whole = read_only()


class TargetCreate(Request):
    """A new target."""

    id: RecordId | None = None
    code: Code
    name: Name
    version: Name = Field(default="1", min_length=1, max_length=32)
    description: Text = Field(default="", max_length=10_000)


class TargetUpdate(MasterChanges):
    """Changes to a target; what is left out stays."""

    code: Code = LEFT_OUT
    name: Name = LEFT_OUT
    version: Name = Field(default=LEFT_OUT, min_length=1, max_length=32)
    description: Text = Field(default=LEFT_OUT, max_length=10_000)


class MasterReply(Reply):
    """What every master answers."""

    id: Id
    created_at: Moment
    updated_at: Moment
    rev: int | None


class TargetReply(MasterReply):
    """A target."""

    code: str
    name: str
    version: str
    description: str


class ItemCreate(Request):
    """A new inspection item of a target."""

    id: RecordId | None = None
    name: Name
    description: Text = Field(default="", max_length=10_000)
    position: Whole = Field(default=1, ge=1, le=10_000)
    required: Flag = True
    criteria: Criteria = Field(default_factory=dict)
    pipeline_id: RecordId | None = None
    pipeline_parameters: Parameters = Field(default_factory=dict)


class ItemUpdate(MasterChanges):
    """Changes to an item; what is left out stays."""

    name: Name = LEFT_OUT
    description: Text = Field(default=LEFT_OUT, max_length=10_000)
    position: Whole = Field(default=LEFT_OUT, ge=1, le=10_000)
    required: Flag = Field(default=LEFT_OUT)
    criteria: Criteria = Field(default=LEFT_OUT)
    pipeline_id: RecordId | None = Field(default=None)
    pipeline_parameters: Parameters = Field(default=LEFT_OUT)
    target_id: RecordId = read_only()


class ItemReply(MasterReply):
    """An inspection item."""

    target_id: Id
    name: str
    description: str
    position: int
    required: bool
    criteria: Criteria
    pipeline_id: Id | None
    pipeline_parameters: Parameters


class ItemPipeline(Changes):
    """Which pipeline inspects an item, with which parameters; replaces both."""

    pipeline_id: RecordId | None = None
    pipeline_parameters: Parameters = Field(default_factory=dict)
    item_id: RecordId = read_only()
    pipeline_version: Whole | None = read_only()


class ItemPipelineReply(Reply):
    """Which pipeline inspects an item, with which parameters."""

    item_id: Id
    pipeline_id: Id | None
    pipeline_version: int | None
    pipeline_parameters: Parameters


DEFINITION_EXAMPLE: dict[str, object] = {
    "format_version": 1,
    "name": "Good-only inspection",
    "steps": [
        {"id": "anomaly", "component": "anomaly", "parameters": {"model": "default"}, "inputs": {"image": "input"}},
        {
            "id": "overlay",
            "component": "filter",
            "parameters": {"filter_type": "overlay"},
            "inputs": {"image": "input", "anomaly": "anomaly"},
        },
    ],
}


class PipelineCreate(Request):
    """A new pipeline."""

    id: RecordId | None = None
    name: Name
    description: Text = Field(default="", max_length=10_000)
    definition: Definition


class PipelineUpdate(MasterChanges):
    """Changes to a pipeline; another definition makes a new version."""

    name: Name = LEFT_OUT
    description: Text = Field(default=LEFT_OUT, max_length=10_000)
    definition: Definition = Field(default=LEFT_OUT)
    version: Whole = read_only("Counts up with the definition.")


class PipelineReply(MasterReply):
    """A pipeline."""

    name: str
    description: str
    version: int
    definition: Definition


class DefectClassCreate(Request):
    """A new kind of defect."""

    id: RecordId | None = None
    code: Code
    name_en: Name
    name_ja: Name
    severity: Name = Field(default="major", min_length=1, max_length=16)


class DefectClassUpdate(MasterChanges):
    """Changes to a kind of defect; what is left out stays."""

    code: Code = LEFT_OUT
    name_en: Name = LEFT_OUT
    name_ja: Name = LEFT_OUT
    severity: Name = Field(default=LEFT_OUT, min_length=1, max_length=16)


class DefectClassReply(MasterReply):
    """A kind of defect."""

    code: str
    name_en: str
    name_ja: str
    severity: str
