"""The four kinds of masters; their rules are in ``server.masters.rules``."""

from __future__ import annotations

from models.pipelines import Pipeline
from models.targets import DefectClass, InspectionItem, Target
from server.masters.schemas import DefectClassReply, ItemReply, PipelineReply, TargetReply
from server.masters.service import Masters

targets = Masters(
    Target,
    TargetReply,
    order=(Target.code,),
)
items = Masters(
    InspectionItem,
    ItemReply,
    order=(InspectionItem.position,),
)
pipelines = Masters(
    Pipeline,
    PipelineReply,
    order=(Pipeline.name,),
)
defect_classes = Masters(
    DefectClass,
    DefectClassReply,
    order=(DefectClass.code,),
)
