"""What a station does by itself once a day, after a pass of the synchronisation."""

from __future__ import annotations

from app.station.applied_settings import applied_settings
from app.station.settings import StationSettings
from models.database import Database
from models.errors import UserFacingError
from sync.station.blobs import BlobStore
from sync.station.retention import Retention


def daily_upkeep(database: Database, blobs: BlobStore, device_id: str, own: StationSettings) -> list[str]:
    """Apply retention when a rule is set and it was not applied within a day; return codes of what failed.

    Args:
        database: the station's.
        blobs: its blob store.
        device_id: of the station.
        own: the station's own settings, for what the server leaves to it.
    """
    with database.read() as session:
        rule = applied_settings(session, device_id, own).retention
    if rule is None:
        return []
    retention = Retention(database, blobs, device_id, rule)
    try:
        if retention.is_due():
            retention.apply()
    except UserFacingError as error:
        return [error.code]
    return []
