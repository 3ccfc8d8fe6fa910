"""``/inspection/targets``, ``/inspection/items``, ``/inspection/defect-classes`` and ``/pipelines``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import Role
from models.targets import DefectClass, InspectionItem
from server.core.paging import PageQuery
from server.http.dependencies import ANY_PRINCIPAL, Context, Principal, require
from server.http.lanes import quick
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.masters import item_pipeline
from server.masters.kinds import defect_classes, items, pipelines, targets
from server.masters.schemas import (
    DefectClassCreate,
    DefectClassReply,
    DefectClassUpdate,
    ItemCreate,
    ItemPipeline,
    ItemPipelineReply,
    ItemReply,
    ItemUpdate,
    PipelineCreate,
    PipelineReply,
    PipelineUpdate,
    TargetCreate,
    TargetReply,
    TargetUpdate,
)
from sync.shared.schemas import NamedId, Page, Text

router = feature_router()
TargetPaging = Annotated[PageQuery, Depends(paging_by("code", "name", "created_at", "updated_at"))]
ItemPaging = Annotated[PageQuery, Depends(paging_by("position", "name", "created_at", "updated_at"))]
PipelinePaging = Annotated[PageQuery, Depends(paging_by("name", "version", "created_at", "updated_at"))]
ClassPaging = Annotated[PageQuery, Depends(paging_by("code", "name_en", "name_ja", "severity"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]


@router.get("/inspection/targets", tags=["targets"], summary="List targets", dependencies=ANY_PRINCIPAL)
@quick
def list_targets(context: Context, paging: TargetPaging) -> Page[TargetReply]:
    """Targets by code; the search looks at code, name and description."""
    return targets.page(context, paging)


@router.post(
    "/inspection/targets",
    tags=["targets"],
    summary="Make a target",
    status_code=201,
    responses={200: {"model": TargetReply}, 409: {}},
)
def create_target(asking: Engineer, context: Context, body: TargetCreate, answer: Answered) -> TargetReply:
    """Supervisors and administrators; the same request again answers 200."""
    reply, new = targets.create(context, asking, body.id, body.model_dump(exclude={"id"}))
    answer.created(f"/inspection/targets/{reply.id}", new=new)
    return answer.of(reply)


@router.get("/inspection/targets/{target_id}", tags=["targets"], summary="One target", dependencies=ANY_PRINCIPAL)
@quick
def get_target(target_id: NamedId, context: Context, answer: Read) -> TargetReply:
    """The target as it is now."""
    return answer.of(targets.one(context, target_id))


@router.put("/inspection/targets/{target_id}", tags=["targets"], summary="Change a target", responses={409: {}})
def update_target(
    target_id: NamedId, asking: Engineer, context: Context, body: TargetUpdate, answer: Answered, expected: IfMatch
) -> TargetReply:
    """Supervisors and administrators; what is left out stays."""
    return answer.of(targets.change(context, asking, target_id, body, expected))


@router.delete("/inspection/targets/{target_id}", tags=["targets"], summary="Delete a target", status_code=204)
def delete_target(target_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """Supervisors and administrators; its items go with it, sessions of the past stay."""
    targets.delete(context, asking, target_id, expected)


@router.get(
    "/inspection/targets/{target_id}/items",
    tags=["items"],
    summary="List the items of a target",
    dependencies=ANY_PRINCIPAL,
)
@quick
def list_items(
    target_id: NamedId,
    context: Context,
    paging: ItemPaging,
) -> Page[ItemReply]:
    """Items in the order in which they are inspected."""
    targets.one(context, target_id)
    return items.page(context, paging, InspectionItem.target_id == target_id)


@router.post(
    "/inspection/targets/{target_id}/items",
    tags=["items"],
    summary="Make an item",
    status_code=201,
    responses={200: {"model": ItemReply}, 409: {}, 422: {}},
)
def create_item(
    target_id: NamedId, asking: Engineer, context: Context, body: ItemCreate, answer: Answered
) -> ItemReply:
    """Supervisors and administrators; the same request again answers 200."""
    targets.one(context, target_id)
    content = {**body.model_dump(exclude={"id"}), "target_id": target_id}
    reply, new = items.create(context, asking, body.id, content)
    answer.created(f"/inspection/items/{reply.id}", new=new)
    return answer.of(reply)


@router.get("/inspection/items/{item_id}", tags=["items"], summary="One item", dependencies=ANY_PRINCIPAL)
@quick
def get_item(item_id: NamedId, context: Context, answer: Read) -> ItemReply:
    """The item as it is now."""
    return answer.of(items.one(context, item_id))


@router.put("/inspection/items/{item_id}", tags=["items"], summary="Change an item", responses={422: {}})
def update_item(
    item_id: NamedId, asking: Engineer, context: Context, body: ItemUpdate, answer: Answered, expected: IfMatch
) -> ItemReply:
    """Supervisors and administrators; what is left out stays."""
    return answer.of(items.change(context, asking, item_id, body, expected))


@router.delete("/inspection/items/{item_id}", tags=["items"], summary="Delete an item", status_code=204)
def delete_item(item_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """Supervisors and administrators; sessions of the past stay."""
    items.delete(context, asking, item_id, expected)


@router.get(
    "/inspection/items/{item_id}/pipeline",
    tags=["items"],
    summary="The pipeline of an item",
    dependencies=ANY_PRINCIPAL,
)
@quick
def get_item_pipeline(item_id: NamedId, context: Context, answer: Read) -> ItemPipelineReply:
    """Which pipeline inspects the item, with which parameters."""
    return answer.of(item_pipeline.get_item_pipeline(context, item_id))


@router.put(
    "/inspection/items/{item_id}/pipeline", tags=["items"], summary="Give an item its pipeline", responses={422: {}}
)
def set_item_pipeline(
    item_id: NamedId, asking: Engineer, context: Context, body: ItemPipeline, answer: Answered, expected: IfMatch
) -> ItemPipelineReply:
    """Supervisors and administrators; 422 when the pipeline does not run with these parameters."""
    return answer.of(item_pipeline.set_item_pipeline(context, asking, item_id, body, expected))


@router.get("/pipelines", tags=["pipelines"], summary="List pipelines", dependencies=ANY_PRINCIPAL)
@quick
def list_pipelines(context: Context, paging: PipelinePaging) -> Page[PipelineReply]:
    """Pipelines by name."""
    return pipelines.page(context, paging)


@router.post(
    "/pipelines",
    tags=["pipelines"],
    summary="Make a pipeline",
    status_code=201,
    responses={200: {"model": PipelineReply}, 409: {}},
)
def create_pipeline(asking: Engineer, context: Context, body: PipelineCreate, answer: Answered) -> PipelineReply:
    """Supervisors and administrators; the definition is checked step by step."""
    reply, new = pipelines.create(context, asking, body.id, body.model_dump(exclude={"id"}))
    answer.created(f"/pipelines/{reply.id}", new=new)
    return answer.of(reply)


@router.get("/pipelines/{pipeline_id}", tags=["pipelines"], summary="One pipeline", dependencies=ANY_PRINCIPAL)
@quick
def get_pipeline(pipeline_id: NamedId, context: Context, answer: Read) -> PipelineReply:
    """The pipeline in its present version."""
    return answer.of(pipelines.one(context, pipeline_id))


@router.put(
    "/pipelines/{pipeline_id}", tags=["pipelines"], summary="Make a new version of a pipeline", responses={422: {}}
)
def update_pipeline(
    pipeline_id: NamedId, asking: Engineer, context: Context, body: PipelineUpdate, answer: Answered, expected: IfMatch
) -> PipelineReply:
    """Supervisors and administrators; 422 when an item that uses it would not run with the new definition."""
    return answer.of(pipelines.change(context, asking, pipeline_id, body, expected))


@router.delete(
    "/pipelines/{pipeline_id}", tags=["pipelines"], summary="Delete a pipeline", status_code=204, responses={409: {}}
)
def delete_pipeline(pipeline_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """Supervisors and administrators; refused while an item uses it."""
    pipelines.delete(context, asking, pipeline_id, expected)


@router.get(
    "/inspection/defect-classes", tags=["defect classes"], summary="List kinds of defects", dependencies=ANY_PRINCIPAL
)
@quick
def list_defect_classes(
    context: Context,
    paging: ClassPaging,
    severity: Annotated[Text | None, Query(max_length=16, description="Only this severity.")] = None,
) -> Page[DefectClassReply]:
    """Kinds of defects by code."""
    conditions = () if severity is None else (DefectClass.severity == severity,)
    return defect_classes.page(context, paging, *conditions)


@router.post(
    "/inspection/defect-classes",
    tags=["defect classes"],
    summary="Make a kind of defect",
    status_code=201,
    responses={200: {"model": DefectClassReply}, 409: {}},
)
def create_defect_class(
    asking: Engineer, context: Context, body: DefectClassCreate, answer: Answered
) -> DefectClassReply:
    """Supervisors and administrators; the same request again answers 200."""
    reply, new = defect_classes.create(context, asking, body.id, body.model_dump(exclude={"id"}))
    answer.created(f"/inspection/defect-classes/{reply.id}", new=new)
    return answer.of(reply)


@router.get(
    "/inspection/defect-classes/{class_id}",
    tags=["defect classes"],
    summary="One kind of defect",
    dependencies=ANY_PRINCIPAL,
)
@quick
def get_defect_class(class_id: NamedId, context: Context, answer: Read) -> DefectClassReply:
    """The kind of defect as it is now."""
    return answer.of(defect_classes.one(context, class_id))


@router.put(
    "/inspection/defect-classes/{class_id}",
    tags=["defect classes"],
    summary="Change a kind of defect",
    responses={409: {}},
)
def update_defect_class(
    class_id: NamedId, asking: Engineer, context: Context, body: DefectClassUpdate, answer: Answered, expected: IfMatch
) -> DefectClassReply:
    """Supervisors and administrators; what is left out stays."""
    return answer.of(defect_classes.change(context, asking, class_id, body, expected))


@router.delete(
    "/inspection/defect-classes/{class_id}",
    tags=["defect classes"],
    summary="Delete a kind of defect",
    status_code=204,
)
def delete_defect_class(class_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """Supervisors and administrators; verifications of the past keep its code."""
    defect_classes.delete(context, asking, class_id, expected)
