"""The four kinds of masters and the rules of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from inspection.judging.judgement import Criteria
from models.clock import utc_now
from models.errors import Conflict
from models.pipelines import Pipeline
from models.targets import DefectClass, InspectionItem, Target
from server.core.rejections import rejected
from server.masters.fitting import checked_definition, require_fit, require_still_fits
from server.masters.repository import code_taken, items_of, items_using
from server.masters.schemas import DefectClassReply, ItemReply, PipelineReply, TargetReply
from server.masters.service import Masters


def _check_target(session: Session, values: Mapping[str, Any], present: Target | None) -> None:
    if "code" in values and code_taken(session, Target, values["code"], present.id if present else None):
        raise Conflict("code-taken", code_value=values["code"])


def _check_class(session: Session, values: Mapping[str, Any], present: DefectClass | None) -> None:
    if "code" in values and code_taken(session, DefectClass, values["code"], present.id if present else None):
        raise Conflict("code-taken", code_value=values["code"])


def _check_item(session: Session, values: Mapping[str, Any], present: InspectionItem | None) -> None:
    if "criteria" in values:
        try:
            Criteria.model_validate(values["criteria"])
        except ValidationError as error:
            raise rejected(error, "criteria") from error
    if values.get("pipeline_id") is not None or "pipeline_parameters" in values:
        require_fit(
            session,
            values.get("pipeline_id"),
            values.get("pipeline_parameters", {}),
            item_id=present.id if present else None,
        )


def _check_pipeline(session: Session, values: Mapping[str, Any], present: Pipeline | None) -> None:
    if "definition" in values:
        checked_definition(values["definition"])
        if present is not None:
            require_still_fits(session, present, values["definition"])


def _new_version(pipeline: Pipeline, values: Mapping[str, Any]) -> None:
    if "definition" in values and values["definition"] != pipeline.definition:
        pipeline.version += 1


def _delete_items(session: Session, target: Target) -> None:
    for item in items_of(session, target.id):
        item.deleted_at = utc_now()


def _require_unused(session: Session, pipeline: Pipeline) -> None:
    count = len(items_using(session, pipeline))
    if count:
        raise Conflict("pipeline-in-use", name=pipeline.name, count=count)


targets = Masters(
    Target,
    TargetReply,
    search=(Target.code, Target.name, Target.description),
    order=(Target.code,),
    check=_check_target,
    before_delete=_delete_items,
)
items = Masters(
    InspectionItem,
    ItemReply,
    search=(InspectionItem.name, InspectionItem.description),
    order=(InspectionItem.position,),
    check=_check_item,
)
pipelines = Masters(
    Pipeline,
    PipelineReply,
    search=(Pipeline.name, Pipeline.description),
    order=(Pipeline.name,),
    check=_check_pipeline,
    before_delete=_require_unused,
    on_change=_new_version,
)
defect_classes = Masters(
    DefectClass,
    DefectClassReply,
    search=(DefectClass.code, DefectClass.name_en, DefectClass.name_ja),
    order=(DefectClass.code,),
    check=_check_class,
)
