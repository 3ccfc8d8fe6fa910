"""Decisions about sensor models, as functions of values."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.errors import Conflict
from models.sensors import SensorModelStatus

HEARTBEAT_S = 5.0
"""Longest time between two reports of a training."""
_LOST_AFTER = timedelta(seconds=12 * HEARTBEAT_S)


def require_ready(status: SensorModelStatus) -> None:
    """Check that a model can score.

    Raises:
        Conflict: ``anomaly-model-not-ready``.
    """
    if status is not SensorModelStatus.READY:
        raise Conflict("anomaly-model-not-ready", status=status.value)


def is_lost(status: SensorModelStatus, heartbeat_at: datetime | None, now: datetime) -> bool:
    """Return whether the process that trained a model has ended without a word."""
    return status is SensorModelStatus.TRAINING and heartbeat_at is not None and now - heartbeat_at > _LOST_AFTER
