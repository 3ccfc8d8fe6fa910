"""Sensor anomaly models on the server, and the streams of machines that are scored with them.

None of it travels to stations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.named import Searchable
from models.names import LONGEST_CODE, LONGEST_NAME
from models.states import Severity


class SensorModelStatus(StrEnum):
    """Life of a sensor model."""

    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"


class ThresholdMethod(StrEnum):
    """How a threshold was chosen."""

    PERCENTILE = "percentile"
    AUTOMATIC = "automatic"
    MANUAL = "manual"


class SensorModelRecord(Searchable, Base, kw_only=True, eq=False):
    """A sensor model; its bytes are an object that never changes.

    Attributes:
        sensor: the machine or group of sensors that it judges; one model of each is active.
        sha256: the object of the reference, as it was trained or uploaded; empty until it is trained.
        learned_sha256: the object of the model that online learning has made of it; empty without one.
        learning: state of the online learning, which goes on from it.
        threshold: a score strictly above it is an anomaly; None until it is trained.
        threshold_percent: of a percentile.
        columns: names of the sensors, in the order of a row.
        window: rows of a window; 1 for vectors.
        progress: percent of the training.
        heartbeat_at: when the training last reported.
        error_code: why the training failed.
        error_values: what the text of that error names.
        version: counts the writes of the online learning, which must not overwrite each other.
    """

    __tablename__ = "sensor_models"
    __table_args__ = (Index("ix_sensor_models_sensor_active", "sensor", "active"),)
    searched: ClassVar[tuple[str, ...]] = ("name", "sensor")

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    sensor: Mapped[str] = mapped_column(String(LONGEST_CODE))
    status: Mapped[SensorModelStatus] = mapped_column(enumeration(SensorModelStatus))
    active: Mapped[bool] = mapped_column(default=False)
    sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    columns: Mapped[list[Any]] = mapped_column(default_factory=list)
    window: Mapped[int] = mapped_column(default=1)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    threshold: Mapped[float | None] = mapped_column(default=None)
    threshold_method: Mapped[ThresholdMethod] = mapped_column(
        enumeration(ThresholdMethod), default=ThresholdMethod.PERCENTILE
    )
    threshold_percent: Mapped[float | None] = mapped_column(default=None)
    learned_sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    learning: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    rows_learned: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(default=1)
    progress: Mapped[float] = mapped_column(default=0.0)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    error_code: Mapped[str] = mapped_column(String(64), default="")
    error_values: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    findings: Mapped[list[Any]] = mapped_column(default_factory=list)
    created_by: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)


class SensorStreamRecord(Base, kw_only=True, eq=False):
    """The rows of one machine in the order of time, scored by a model that needs those before.

    Attributes:
        id: the client's name of the machine.
        state: of the scoring after the newest row, with the newest results.
        newest: seconds since 1970 of the newest row that was scored.
        version: counts the writes, which must not overwrite each other.
    """

    __tablename__ = "sensor_streams"

    id: Mapped[str] = mapped_column(String(LONGEST_CODE), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("sensor_models.id"), index=True)
    state: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    newest: Mapped[float | None] = mapped_column(default=None)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    anomalies: Mapped[int] = mapped_column(BigInteger, default=0)
    last_status: Mapped[str] = mapped_column(String(16), default="")
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)


class SensorAlertSettings(Base, kw_only=True, eq=False):
    """Who is notified of the anomalies of a sensor.

    Attributes:
        after_rows: anomalies in a row that raise the alert.
        mail: addresses that are written to.
        webhooks: URLs that are called.
        line_stop: whether stations are stopped.
        stations: those to stop; None stops all.
        silenced_until: nothing is delivered up to then; alerts are recorded all the same.
    """

    __tablename__ = "sensor_alert_settings"

    sensor: Mapped[str] = mapped_column(String(LONGEST_CODE), primary_key=True)
    after_rows: Mapped[int] = mapped_column(default=3)
    severity: Mapped[Severity] = mapped_column(enumeration(Severity), default=Severity.HIGH)
    mail: Mapped[list[Any]] = mapped_column(default_factory=list)
    webhooks: Mapped[list[Any]] = mapped_column(default_factory=list)
    line_stop: Mapped[bool] = mapped_column(default=False)
    stations: Mapped[list[Any] | None] = mapped_column(Json, default=None)
    silenced_until: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    updated_by: Mapped[str] = mapped_column(String(64), default="")
