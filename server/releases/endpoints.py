"""``/inspection/models``: the models of stations, and their releases."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from models.states import ReleaseState, Role
from server.core.paging import PageQuery
from server.http.dependencies import ANY_PRINCIPAL, Context, Principal, require
from server.http.lanes import heavy
from server.http.paging import paging_by
from server.http.revisions import Answered, Read
from server.http.routes import feature_router
from server.releases import service
from server.releases.repository import ModelFilter
from server.releases.schemas import ModelFileReply, ReleaseCreate, ReleaseDetail, ReleaseKey, ReleaseReply, ReleaseStage
from sync.shared.schemas import NamedId, Page, RecordId

router = feature_router(prefix="/inspection/models", tags=["models"])
ReleasePaging = Annotated[PageQuery, Depends(paging_by("name", "state", "created_at", "released_at"))]
ModelPaging = Annotated[PageQuery, Depends(paging_by("name", "model_kind", "size_bytes", "created_at"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
IN_CHARGE = [Depends(require(Role.SUPERVISOR, Role.ADMIN))]


async def model_filter(
    item_id: Annotated[RecordId | None, Query(description="Only those trained for this item.")] = None,
    model_kind: Annotated[Literal["anomaly", "detector"] | None, Query(description="Only this kind.")] = None,
) -> ModelFilter:
    """Return the filter of a list."""
    return ModelFilter(item_id, model_kind)


@router.get("", summary="List models", dependencies=ANY_PRINCIPAL)
def list_models(
    context: Context, paging: ModelPaging, wanted: Annotated[ModelFilter, Depends(model_filter)]
) -> Page[ModelFileReply]:
    """Newest first; the search looks at the name. Which of them an item is inspected with, its releases say."""
    return service.list_models(context, wanted, paging)


@router.get("/{model_id}", summary="One model", dependencies=ANY_PRINCIPAL)
def get_model(model_id: NamedId, context: Context, answer: Read) -> ModelFileReply:
    """The record; stations fetch its bytes by its digest."""
    return answer.of(service.get_model(context, model_id))


@router.get("/key", summary="The key that releases are signed with", dependencies=ANY_PRINCIPAL)
def get_key(context: Context, answer: Read) -> ReleaseKey:
    """Ed25519; a station keeps the one of its enrolment, and refuses releases that another key has signed."""
    return answer.of(service.get_key(context))


@router.get("/releases", summary="List releases", dependencies=IN_CHARGE)
def list_releases(
    context: Context,
    paging: ReleasePaging,
    item_id: Annotated[RecordId | None, Query(description="Only of this item.")] = None,
) -> Page[ReleaseReply]:
    """Newest first; the search looks at the name."""
    return service.list_releases(context, item_id, paging)


@router.post(
    "/releases",
    summary="Make a draft of a release",
    status_code=201,
    responses={200: {"model": ReleaseDetail}, 404: {}, 409: {}, 422: {}},
)
@heavy
def create_release(asking: Engineer, context: Context, body: ReleaseCreate, answer: Answered) -> ReleaseDetail:
    """Of a bundle that was uploaded with `/sync/upload`. It is read, and the item is checked to run with it."""
    reply, new = service.create_release(context, asking, body)
    answer.created(f"/inspection/models/releases/{reply.id}", new=new)
    return reply


@router.get("/releases/{release_id}", summary="One release with what stations found", dependencies=IN_CHARGE)
@heavy
def get_release(release_id: NamedId, context: Context) -> ReleaseDetail:
    """A station reports whether digest, signature and scores held when it checked the release."""
    return service.get_release(context, release_id)


@router.post("/releases/{release_id}/stage", summary="Give a release to some stations", responses={404: {}, 409: {}})
def stage(release_id: NamedId, asking: Engineer, context: Context, body: ReleaseStage) -> ReleaseDetail:
    """The others go on with what they have; staging again names the stations anew."""
    return service.move_release(context, asking, release_id, ReleaseState.STAGED, body.stations)


@router.post("/releases/{release_id}/release", summary="Give a release to all stations", responses={409: {}})
def release(release_id: NamedId, asking: Engineer, context: Context) -> ReleaseDetail:
    """Each station inspects with it once it has the bundle and has found that it holds."""
    return service.move_release(context, asking, release_id, ReleaseState.RELEASED)


@router.post("/releases/{release_id}/rollback", summary="Take a release back from all stations", responses={409: {}})
def rollback(release_id: NamedId, asking: Engineer, context: Context) -> ReleaseDetail:
    """Stations go back to the release before, or to the model that the item names."""
    return service.move_release(context, asking, release_id, ReleaseState.ROLLED_BACK)
