"""The four kinds of masters; their rules are in ``server.masters.rules``."""

from __future__ import annotations

from models.pipelines import Pipeline
from models.targets import DefectClass, InspectionItem, Target
from server.masters.schemas import DefectClassReply, ItemReply, PipelineReply, TargetReply
from server.masters.service import Masters

targets = Masters(
    Target,
    TargetReply,
    search=(Target.code, Target.name, Target.description),
    order=(Target.code,),
)
items = Masters(
    InspectionItem,
    ItemReply,
    search=(InspectionItem.name, InspectionItem.description),
    order=(InspectionItem.position,),
)
pipelines = Masters(
    Pipeline,
    PipelineReply,
    search=(Pipeline.name, Pipeline.description),
    order=(Pipeline.name,),
)
defect_classes = Masters(
    DefectClass,
    DefectClassReply,
    search=(DefectClass.code, DefectClass.name_en, DefectClass.name_ja),
    order=(DefectClass.code,),
)
