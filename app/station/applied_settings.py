"""The settings that hold at a station: what the server hands out, else the station's own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.station.settings import StationSettings
from models.messages import Language
from sync.shared.station_config import settings_for
from sync.station.retention import RetentionRule


@dataclass(frozen=True, slots=True)
class AppliedSettings:
    """What holds now.

    Attributes:
        retention: how long images stay; None keeps all.
        offline_sign_in_days: days a sign-in without the server is possible after one with it.
        language: of the window; None takes the person's or the system's.
    """

    retention: RetentionRule | None
    offline_sign_in_days: int
    language: Language | None


def applied_settings(session: Session, device_id: str, own: StationSettings) -> AppliedSettings:
    """Return the settings that hold, read in the caller's transaction.

    Args:
        session: of the station's store.
        device_id: of the station; empty before enrolment.
        own: what the station decides where the server says nothing.
    """
    handed = settings_for(session, device_id) if device_id else {}
    days = handed.get("retention_days", own.retention_days)
    keep_ng = handed.get("retention_keep_ng", own.retention_keep_ng)
    return AppliedSettings(
        retention=RetentionRule(days, keep_ng) if days is not None else None,
        offline_sign_in_days=handed.get("offline_sign_in_days", own.offline_sign_in_days),
        language=handed.get("language", own.language),
    )
