"""``/anomaly``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, File, Form, Header, Query, UploadFile
from pydantic import ValidationError

from models.errors import InvalidInput
from models.messages import choose_language
from models.rejections import rejection
from models.sensors import SensorModelStatus
from models.states import Role
from server.anomaly import scoring, service, thresholds, uploads
from server.anomaly.schemas import (
    BatchReply,
    BatchRequest,
    ScoreReply,
    ScoreRequest,
    SensorModelDetail,
    SensorModelForm,
    SensorModelReply,
    ThresholdChange,
    ThresholdReply,
)
from server.core.paging import PageQuery
from server.http.dependencies import ANY_PRINCIPAL, ANY_PRINCIPAL_OR_LOOPBACK, Context, Principal, require
from server.http.lanes import heavy
from server.http.lean_routes import LeanRoute
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from sync.shared.schemas import GivenId, NamedId, Page

router = feature_router(prefix="/anomaly", tags=["anomaly"])
lean = feature_router(prefix="/anomaly", tags=["anomaly"], route_class=LeanRoute)
ModelPaging = Annotated[PageQuery, Depends(paging_by("name", "sensor", "status", "created_at"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
Language = Annotated[str | None, Header(alias="Accept-Language")]


@lean.post(
    "",
    summary="Score a row of sensor values",
    response_model_exclude_none=True,
    dependencies=ANY_PRINCIPAL_OR_LOOPBACK,
    responses={404: {}, 409: {}},
)
def score(context: Context, body: ScoreRequest) -> ScoreReply:
    """By the active model of the sensor. Without a credential on loopback only."""
    return scoring.score(context, body)


@lean.post(
    "/batch",
    summary="Score many rows at once",
    dependencies=ANY_PRINCIPAL_OR_LOOPBACK,
    responses={404: {}},
)
def score_batch(context: Context, body: BatchRequest) -> BatchReply:
    """For a model of windows the rows of one machine in the order of time. Without a credential on loopback only."""
    return scoring.score_batch(context, body)


@router.get("/models", summary="List sensor models", dependencies=ANY_PRINCIPAL)
def list_models(
    context: Context,
    paging: ModelPaging,
    sensor: Annotated[str | None, Query(max_length=64, description="Only of this sensor.")] = None,
    status: Annotated[SensorModelStatus | None, Query(description="Only this status.")] = None,
) -> Page[SensorModelReply]:
    """Newest first; the search looks at name and sensor."""
    return service.list_models(context, sensor, status, paging)


@router.post(
    "/models",
    summary="Upload a sensor model, or a table to train one on",
    status_code=201,
    responses={200: {"model": SensorModelReply}, 409: {}},
)
def create_model(
    asking: Engineer,
    context: Context,
    answer: Answered,
    file: Annotated[UploadFile, File(description="`model.npz`, as a training writes it.")],
    id: Annotated[GivenId, Form(description="The client's own id; the same upload again answers 200.")] = "",  # noqa: A002 - the name of the member
    name: Annotated[str, Form(max_length=200, description="Empty: the name in the file.")] = "",
    sensor: Annotated[str, Form(max_length=64, description="The machine or group of sensors it judges.")] = "default",
    activate: Annotated[bool, Form(description="Whether it scores from now on; the first of a sensor does.")] = False,
) -> SensorModelReply:
    """Nothing in the file is executed. Supervisors and administrators."""
    form = _form({"id": id or None, "name": name, "sensor": sensor, "activate": activate})
    reply, new = service.keep_model(context, asking, form, uploads.read_model(file.file, file.filename or "model.npz"))
    answer.created(f"/anomaly/models/{reply.id}", new=new)
    return reply


@router.get("/models/{model_id}", summary="One sensor model", dependencies=ANY_PRINCIPAL)
def get_model(model_id: NamedId, context: Context, answer: Read, language: Language = None) -> SensorModelDetail:
    """With the progress of its training, and why that failed."""
    return answer.of(service.get_model(context, model_id, choose_language(language or "")))


@router.delete("/models/{model_id}", summary="Delete a sensor model", status_code=204, responses={409: {}})
def delete_model(model_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """409 while it is active or a stream is scored with it."""
    service.delete_model(context, asking, model_id, expected)


@router.post("/models/{model_id}/activate", summary="Let a model score its sensor", responses={409: {}})
def activate_model(model_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> SensorModelReply:
    """From the next request on; the one before can be activated again."""
    return service.activate_model(context, asking, model_id, expected)


@router.get(
    "/models/{model_id}/threshold",
    summary="The threshold of a model and its errors",
    dependencies=ANY_PRINCIPAL,
    responses={409: {}},
)
@heavy
def get_threshold(model_id: NamedId, context: Context) -> ThresholdReply:
    """With the histogram of the errors that it is chosen from, and the thresholds at 95 to 99 %."""
    return thresholds.get_threshold(context, model_id)


@router.put("/models/{model_id}/threshold", summary="Move the threshold of a model", responses={409: {}})
def set_threshold(
    model_id: NamedId, asking: Engineer, context: Context, body: ThresholdChange, answer: Answered, expected: IfMatch
) -> ThresholdReply:
    """By a percentile from 95 to 99, by the tail of the errors, or to a value; without training."""
    return answer.of(thresholds.set_threshold(context, asking, model_id, body, expected))


def _form(members: dict[str, Any]) -> SensorModelForm:
    """Return what a form says.

    Raises:
        InvalidInput: ``validation-error`` with the members that are not valid.
    """
    try:
        return SensorModelForm.model_validate(members)
    except ValidationError as error:
        problems = [
            {"field": ".".join(map(str, one["loc"])), "message": rejection(one)}
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidInput("validation-error", members={"validation_errors": problems}) from error


router.routes.extend(lean.routes)
