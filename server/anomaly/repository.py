"""Queries of sensor models."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from models.sensors import SensorModelRecord, SensorModelStatus, SensorStreamRecord
from server.core.records import require_record


def model_by_id(session: Session, model_id: str, *, locked: bool = False) -> SensorModelRecord:
    """Return a model; ``NotFound`` ``anomaly-model-unknown``."""
    return require_record(session, SensorModelRecord, model_id, "anomaly-model-unknown", locked=locked)


def listing(sensor: str | None, status: SensorModelStatus | None) -> Select[Any]:
    """Return the query for models, newest first."""
    query = select(SensorModelRecord).order_by(SensorModelRecord.created_at.desc(), SensorModelRecord.id.desc())
    if sensor is not None:
        query = query.where(SensorModelRecord.sensor == sensor)
    return query if status is None else query.where(SensorModelRecord.status == status)


def deactivate(session: Session, sensor: str) -> None:
    """Make no model of a sensor active."""
    session.execute(
        update(SensorModelRecord)
        .where(SensorModelRecord.sensor == sensor, SensorModelRecord.active)
        .values(active=False)
        .execution_options(synchronize_session="fetch")
    )


def active_id(session: Session, sensor: str) -> str | None:
    """Return the active model of a sensor, None when it has none."""
    query = select(SensorModelRecord.id).where(SensorModelRecord.sensor == sensor, SensorModelRecord.active)
    return session.scalars(query).first()


def is_streamed(session: Session, model_id: str) -> bool:
    """Return whether a stream is scored with a model."""
    return bool(session.scalar(select(exists().where(SensorStreamRecord.model_id == model_id))))
