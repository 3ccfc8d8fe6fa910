"""Masters that concern one station alone: which kinds these are, and whom one of them is for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from models.alerts import LineStop
from models.pipelines import StationConfig

ADDRESSED = (StationConfig, LineStop)
"""Masters that are for the station they name, or for all when they name none."""


def is_for(kind: type[StationConfig | LineStop], device_id: str) -> ColumnElement[bool]:
    """Return the condition that an addressed master is for a station."""
    return or_(kind.device_id.is_(None), kind.device_id == device_id)
