"""Queries for the model that scores."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, select

from models.sensors import SensorAlertSettings, SensorModelRecord, SensorModelStatus

_COLUMNS = (
    SensorModelRecord.id,
    SensorModelRecord.sha256,
    SensorModelRecord.learned_sha256,
    SensorModelRecord.threshold,
    SensorModelRecord.sensor,
    SensorAlertSettings.after_rows,
)
_WITH_ALERTS = select(*_COLUMNS).join(
    SensorAlertSettings, SensorAlertSettings.sensor == SensorModelRecord.sensor, isouter=True
)
_READY = _WITH_ALERTS.where(SensorModelRecord.status == SensorModelStatus.READY)
_ACTIVE = _READY.where(SensorModelRecord.active, SensorModelRecord.sensor == bindparam("sensor"))
_BY_ID = _READY.where(SensorModelRecord.id == bindparam("model_id"))
_ALL_ACTIVE = _READY.where(SensorModelRecord.active)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """What a model is made of at present.

    Attributes:
        model_id: of the record.
        sha256: object of the present model: the learned one where there is one.
        reference: object of the model as it was trained or uploaded.
        threshold: a score strictly above it is an anomaly.
        sensor: that it judges.
        alert_after: anomalies in a row that somebody wants to know of; None when nobody does.
    """

    model_id: str
    sha256: str
    reference: str
    threshold: float
    sensor: str
    alert_after: int | None


def active_version(connection: Connection, sensor: str) -> ModelVersion | None:
    """Return the active model of a sensor."""
    found = connection.execute(_ACTIVE, {"sensor": sensor}).first()
    return None if found is None else _version(found)


def version_of(connection: Connection, model_id: str) -> ModelVersion | None:
    """Return a model that is ready to score."""
    found = connection.execute(_BY_ID, {"model_id": model_id}).first()
    return None if found is None else _version(found)


def active_versions(connection: Connection) -> list[ModelVersion]:
    """Return the active model of every sensor."""
    return [_version(row) for row in connection.execute(_ALL_ACTIVE)]


def _version(row: Row[str, str, str, float | None, str, int | None]) -> ModelVersion:
    return ModelVersion(row.id, row.learned_sha256 or row.sha256, row.sha256, row.threshold, row.sensor, row.after_rows)
