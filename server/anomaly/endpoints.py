"""``/anomaly``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, File, Form, Header, Path, Query, Request, UploadFile

from models.messages import choose_language
from models.sensors import SensorModelStatus
from models.states import ApiScope, Role
from server.anomaly import alerting, learning, scoring, service, streams, thresholds, uploads
from server.anomaly.alert_schemas import AlertSettings, AlertSettingsReply
from server.anomaly.forms import read_form, require_applicable
from server.anomaly.learning_schemas import DriftReply, DriftRequest, LearnedRows, LearningReply, LearnRequest
from server.anomaly.schemas import (
    BatchReply,
    BatchRequest,
    ScoreReply,
    ScoreRequest,
    SensorModelDetail,
    SensorModelReply,
    SensorName,
    ThresholdChange,
    ThresholdReply,
)
from server.anomaly.stream_schemas import StreamDetail, StreamName, StreamReply, StreamResults, StreamRows
from server.anomaly.training import SensorTrainings
from server.anomaly.uploads import UploadKind
from server.core.paging import PageQuery
from server.files.images import shown_name
from server.http.dependencies import ANY_PRINCIPAL, ANY_PRINCIPAL_OR_LOOPBACK, Context, Principal, require
from server.http.lanes import heavy
from server.http.lean_routes import LeanRoute
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.http.scopes import within
from sync.shared.schemas import GivenId, NamedId, Page, RecordId

router = feature_router(prefix="/anomaly", tags=["anomaly"])
lean = feature_router(prefix="/anomaly", tags=["anomaly"], route_class=LeanRoute)
ModelPaging = Annotated[PageQuery, Depends(paging_by("name", "sensor", "status", "created_at"))]
StreamPaging = Annotated[PageQuery, Depends(paging_by("id", "rows", "anomalies", "updated_at"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
Scoring = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]
Teaching = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]
SensorPath = Annotated[SensorName, Path(description="The sensor.")]
StreamPath = Annotated[StreamName, Path(description="The client's name of the machine.")]
_SETTINGS = (
    "JSON object for a training: window, percent, automatic, false_alarms_per_week, scaling, epochs, seed, leave_out, "
    "keep, encoding, decimal, skip_lines, missing; as the options of `imageflow train sensor`. `model.npz` takes none, "
    "`model.pth` takes all but window, keep and false_alarms_per_week. false_alarms_per_week needs window 0, percent "
    "goes with automatic false alone."
)
Language = Annotated[str | None, Header(alias="Accept-Language")]
_MODEL, _TABLE = "model.npz", "data.csv"
"""What a file without a name is called in messages."""


async def _trainings(request: Request) -> SensorTrainings:
    found = request.app.state.sensor_trainings
    if not isinstance(found, SensorTrainings):
        raise TypeError("the application was made without its trainings")
    return found


Trainings = Annotated[SensorTrainings, Depends(_trainings)]


@lean.post(
    "",
    summary="Score a row of sensor values",
    response_model_exclude_none=True,
    dependencies=ANY_PRINCIPAL_OR_LOOPBACK,
    responses={404: {}, 409: {}},
)
@within(ApiScope.ANOMALY_SCORE)
def score(context: Context, body: ScoreRequest) -> ScoreReply:
    """By the active model of the sensor. Without a credential on loopback only."""
    return scoring.score(context, body)


@lean.post(
    "/batch",
    summary="Score many rows at once",
    dependencies=ANY_PRINCIPAL_OR_LOOPBACK,
    responses={404: {}},
)
@within(ApiScope.ANOMALY_SCORE)
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
    trainings: Trainings,
    answer: Answered,
    file: Annotated[UploadFile, File(description="`model.npz`, or CSV to train on, or `model.pth` with its `data`.")],
    data: Annotated[UploadFile | None, File(description="CSV that a `model.pth` was trained on.")] = None,
    id: Annotated[GivenId, Form(description="The client's own id; the same upload again answers 200.")] = "",  # noqa: A002 - the name of the member
    name: Annotated[str, Form(max_length=200, description="Empty: the name in the file.")] = "",
    sensor: Annotated[str, Form(max_length=64, description="The machine or group of sensors it judges.")] = "default",
    activate: Annotated[bool, Form(description="Whether it scores from now on; the first of a sensor does.")] = False,
    settings: Annotated[str, Form(max_length=20_000, description=_SETTINGS)] = "{}",
) -> SensorModelReply:
    """Nothing in a file is executed. On a table a model is trained in a process of its own, and is `ready` after it."""
    form = read_form({"id": id or None, "name": name, "sensor": sensor, "activate": activate}, settings)
    kind = uploads.kind_of(file.file)
    require_applicable(form, kind, with_data=data is not None)
    if kind is UploadKind.MODEL:
        uploaded = uploads.read_model(file.file, shown_name(file.filename, _MODEL))
        reply, new = service.keep_model(context, asking, form, uploaded)
    elif data is None:
        reply, new = trainings.begin(asking, form, file.file, table_name=shown_name(file.filename, _TABLE))
    else:
        reply, new = trainings.begin(
            asking, form, data.file, uploads.bounded(file.file), table_name=shown_name(data.filename, _TABLE)
        )
    answer.created(f"/anomaly/models/{reply.id}", new=new)
    return reply


@router.get("/models/{model_id}", summary="One sensor model", dependencies=ANY_PRINCIPAL)
def get_model(model_id: NamedId, context: Context, answer: Read, language: Language = None) -> SensorModelDetail:
    """With the progress of its training, and why that failed."""
    return answer.of(service.get_model(context, model_id, choose_language(language)))


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
def get_threshold(model_id: NamedId, context: Context, answer: Read) -> ThresholdReply:
    """With the histogram of the errors that it is chosen from, and the thresholds at 95 to 99 %."""
    return answer.of(thresholds.get_threshold(context, model_id))


@router.put("/models/{model_id}/threshold", summary="Move the threshold of a model", responses={409: {}})
def set_threshold(
    model_id: NamedId, asking: Engineer, context: Context, body: ThresholdChange, answer: Answered, expected: IfMatch
) -> ThresholdReply:
    """By a percentile from 95 to 99, by the tail of the errors, or to a value; without training."""
    return answer.of(thresholds.set_threshold(context, asking, model_id, body, expected))


@router.post("/models/{model_id}/learn", summary="Learn from rows while running", responses={409: {}})
def learn(model_id: NamedId, asking: Teaching, context: Context, body: LearnRequest) -> LearnedRows:
    """Rows that are clearly normal, after their quarantine, within fixed bounds around the model as it was trained."""
    return learning.learn(context, asking, model_id, body)


@router.get(
    "/models/{model_id}/learn",
    summary="What a model has learned while running",
    dependencies=ANY_PRINCIPAL,
    responses={409: {}},
)
def get_learning(model_id: NamedId, context: Context, answer: Read) -> LearningReply:
    """With how far each feature has moved."""
    reply, revision = learning.get_learning(context, model_id)
    answer.tag(revision)
    return reply


@router.delete("/models/{model_id}/learn", summary="Take back what a model has learned", status_code=204)
def revert(model_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """It scores again as it was trained, with the threshold as it is."""
    learning.revert(context, asking, model_id, expected)


@router.post("/models/{model_id}/drift", summary="How far the values of sensors have moved")
def measure_drift(
    model_id: NamedId, asking: Scoring, context: Context, body: DriftRequest, language: Language = None
) -> list[DriftReply]:
    """Of rows against those of the training, sensor by sensor; nothing is changed."""
    del asking
    return learning.drift(context, model_id, body, choose_language(language))


@router.get("/alerts/{sensor}", summary="Who is notified of a sensor's anomalies", dependencies=ANY_PRINCIPAL)
def get_alerts(sensor: SensorPath, context: Context, answer: Read) -> AlertSettingsReply:
    """404 while nobody is."""
    return answer.of(alerting.get_settings(context, sensor))


@router.put("/alerts/{sensor}", summary="Set who is notified of a sensor's anomalies")
def set_alerts(
    sensor: SensorPath, asking: Engineer, context: Context, body: AlertSettings, answer: Answered, expected: IfMatch
) -> AlertSettingsReply:
    """By mail, webhook, stop of the line, after so many anomalies in a row; alerts are listed with those of quality."""
    return answer.of(alerting.set_settings(context, asking, sensor, body, expected))


@router.get("/streams", summary="List streams", dependencies=ANY_PRINCIPAL)
def list_streams(
    context: Context,
    paging: StreamPaging,
    model_id: Annotated[RecordId | None, Query(description="Only those scored with this model.")] = None,
) -> Page[StreamReply]:
    """By their names, which the search looks at."""
    return streams.list_streams(context, model_id, paging)


@router.get("/streams/{stream_id}", summary="One stream", dependencies=ANY_PRINCIPAL)
def get_stream(stream_id: StreamPath, context: Context, answer: Read) -> StreamDetail:
    """With the time of its newest row, and its newest episodes."""
    return answer.of(streams.get_stream(context, stream_id))


@router.post("/streams/{stream_id}", summary="Score further rows of a machine", responses={409: {}})
@within(ApiScope.ANOMALY_SCORE)
def push_rows(stream_id: StreamPath, asking: Scoring, context: Context, body: StreamRows) -> StreamResults:
    """In the order of time; a stream begins with its first rows. The same rows again have the same results."""
    return streams.push_rows(context, asking, stream_id, body)


@router.delete("/streams/{stream_id}", summary="Forget a stream", status_code=204)
def delete_stream(stream_id: StreamPath, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """The next row of this name begins a new one."""
    streams.delete_stream(context, asking, stream_id, expected)


router.routes.extend(lean.routes)
