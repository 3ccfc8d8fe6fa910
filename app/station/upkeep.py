"""What a station does by itself after a pass of the synchronisation."""

from __future__ import annotations

from app.station.applied_settings import applied_settings
from app.station.settings import StationSettings
from models.database import Database
from models.errors import UserFacingError
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.releases import unchecked_releases
from sync.station.retention import Retention


def after_pass(
    database: Database, blobs: BlobStore, client: ServerClient, device_id: str, own: StationSettings
) -> list[str]:
    """Check releases of models that came, and once a day delete old images; return codes of what was refused or failed.

    Args:
        database: the station's.
        blobs: its blob store.
        client: the server.
        device_id: of the station.
        own: the station's own settings, for what the server leaves to it.
    """
    try:
        return [*_checked_releases(database, blobs, client, device_id), *daily_upkeep(database, blobs, device_id, own)]
    except UserFacingError as error:
        return [error.code]


def _checked_releases(database: Database, blobs: BlobStore, client: ServerClient, device_id: str) -> list[str]:
    with database.read() as session:
        if not unchecked_releases(session, device_id):
            return []
    # It brings the runtime along, which a pass without a release does not need.
    from app.station.release_checks import ReleaseChecks

    return ReleaseChecks(database, blobs, client, device_id).run()


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
