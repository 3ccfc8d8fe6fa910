"""Sensor models: uploaded, listed, activated, deleted; one unit of work a call."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.error_values import read_values
from models.errors import Conflict
from models.ids import new_id
from models.messages import Language, error_text
from models.sensors import SensorModelRecord, SensorModelStatus, ThresholdMethod
from server.anomaly.repository import active_id, deactivate, is_streamed, listing, model_by_id
from server.anomaly.rules import is_lost, require_ready
from server.anomaly.schemas import SensorModelDetail, SensorModelError, SensorModelForm, SensorModelReply
from server.anomaly.uploads import NPZ, ModelFile
from server.audit import audited, differences, made, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery, search_page
from server.core.revisions import WHATEVER, Expected
from server.objects.records import record_blob
from sync.shared.schemas import Page

SUBJECT = "sensor-model"
_METHODS = {
    "percentile": ThresholdMethod.PERCENTILE,
    "tail": ThresholdMethod.AUTOMATIC,
    "episodes": ThresholdMethod.AUTOMATIC,
}


def list_models(
    context: ServerContext, sensor: str | None, status: SensorModelStatus | None, wanted: PageQuery
) -> Page[SensorModelReply]:
    """Return a page of models, newest first."""
    return search_page(context.database, listing(sensor, status), SensorModelRecord, SensorModelReply, wanted)


def get_model(context: ServerContext, model_id: str, language: Language) -> SensorModelDetail:
    """Return a model with what its training reported; ``NotFound`` ``anomaly-model-unknown``."""
    with context.database.read() as session:
        return detail_of(model_by_id(session, model_id), language)


def keep_model(
    context: ServerContext, who: Principal, form: SensorModelForm, file: ModelFile
) -> tuple[SensorModelReply, bool]:
    """Keep an uploaded model and return it, with whether it is new; the first one of a sensor becomes active.

    Raises:
        Conflict: ``id-taken`` when the id belongs to another model.
    """
    # The bytes are there before any row names them.
    context.objects.put(file.sha256, file.data)
    with context.database.transaction(who.user_id) as session:
        existing = session.get(SensorModelRecord, form.id) if form.id is not None else None
        if existing is not None:
            if (existing.sha256, existing.sensor) != (file.sha256, form.sensor):
                raise Conflict("id-taken", id=existing.id)
            return SensorModelReply.model_validate(existing), False
        record = SensorModelRecord(
            id=form.id or new_id(),
            name=form.name or file.model.metadata.name or file.sha256[:8],
            sensor=form.sensor,
            status=SensorModelStatus.READY,
            created_by=who.username,
        )
        session.add(record)
        set_trained(session, record, file, activate=form.activate)
        session.flush()
        content = {"name": record.name, "sensor": record.sensor, "sha256": file.sha256, "active": record.active}
        audited(session, who, f"{SUBJECT}.uploaded", SUBJECT, record.id, changes=made(content))
        return SensorModelReply.model_validate(record), True


def set_trained(session: Session, record: SensorModelRecord, file: ModelFile, *, activate: bool) -> None:
    """Make a record that of a model in a file; active when it is asked for, or the first one of its sensor.

    Args:
        session: of ``Database.transaction``: of two at once only one model becomes active.
        record: of the model.
        file: the model.
        activate: whether it is asked for.
    """
    metadata = file.model.metadata
    record_blob(session, file.sha256, len(file.data), NPZ)
    record.status = SensorModelStatus.READY
    record.sha256, record.size_bytes = file.sha256, len(file.data)
    record.columns, record.window, record.rows = list(metadata.columns), metadata.window, metadata.rows
    record.threshold = metadata.threshold
    record.threshold_method = _METHODS[metadata.threshold_method]
    record.threshold_percent = metadata.threshold_percent
    record.progress = 100.0
    if activate or active_id(session, record.sensor) is None:
        deactivate(session, record.sensor)
        record.active = True


def activate_model(
    context: ServerContext, who: Principal, model_id: str, expected: Expected = WHATEVER
) -> SensorModelReply:
    """Let a model score the rows of its sensor from the next request on.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: ``anomaly-model-not-ready``.
        PreconditionFailed: ``revision-mismatch``.
    """
    # One after the other, on PostgreSQL too: two at once would leave two that are active.
    with context.database.transaction(who.user_id) as session:
        record = model_by_id(session, model_id, locked=True)
        expected.require(SensorModelReply.model_validate(record))
        require_ready(record.status)
        if not record.active:
            former = active_id(session, record.sensor)
            deactivate(session, record.sensor)
            record.active = True
            session.flush()
            changes = differences({"active_model_id": former}, {"active_model_id": record.id})
            audited(session, who, f"{SUBJECT}.activated", SUBJECT, record.id, sensor=record.sensor, changes=changes)
        return SensorModelReply.model_validate(record)


def delete_model(context: ServerContext, who: Principal, model_id: str, expected: Expected = WHATEVER) -> None:
    """Delete a model that nothing is scored with.

    Raises:
        NotFound: ``anomaly-model-unknown``.
        Conflict: ``anomaly-model-active``, ``anomaly-model-streamed``, ``anomaly-model-not-ready`` while it is trained.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = model_by_id(session, model_id, locked=True)
        expected.require(SensorModelReply.model_validate(record))
        if record.status is SensorModelStatus.TRAINING and not is_lost(record.status, record.heartbeat_at, utc_now()):
            require_ready(record.status)
        if record.active:
            raise Conflict("anomaly-model-active")
        if is_streamed(session, model_id):
            raise Conflict("anomaly-model-streamed")
        gone = removed({"name": record.name, "sensor": record.sensor, "sha256": record.sha256})
        session.delete(record)
        session.flush()
        audited(session, who, f"{SUBJECT}.deleted", SUBJECT, model_id, changes=gone)


def detail_of(record: SensorModelRecord, language: Language) -> SensorModelDetail:
    """Return a model as it is answered alone."""
    reply = SensorModelReply.model_validate(record)
    code, values = record.error_code, read_values(record.error_values)
    members = reply.model_dump()
    if is_lost(record.status, record.heartbeat_at, utc_now()):
        members["status"], code, values = SensorModelStatus.FAILED, "anomaly-training-lost", {}
    error = None
    if code:
        text = error_text(code, values, language, for_client=True)
        error = SensorModelError(code=code, message=text.explanation)
    findings = [
        ": ".join(part for part in (text.title, text.detail) if part)
        for text in (error_text(found["code"], read_values(found["values"]), language) for found in record.findings)
    ]
    return SensorModelDetail(**members, error=error, findings=findings)
