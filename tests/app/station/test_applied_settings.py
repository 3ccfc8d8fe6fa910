"""What the server hands out holds over the station's own settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from app.station.applied_settings import applied_settings
from app.station.operations.evidence import name_blob, stored
from app.station.operations.history import part, read_picture
from app.station.operations.retention import apply_retention, disk_warning
from app.station.operations.sign_in import sign_in
from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.upkeep import daily_upkeep
from app.station.workspace import Workspace
from models.clock import utc_now
from models.errors import Conflict, NotFound, NotSignedIn
from models.pipelines import StationConfig
from models.sessions import ImageRecord, InspectionSession
from models.states import SessionStatus
from models.sync import Blob, OutboxEntry
from models.tracking import remote_changes
from models.users import UserCredential
from sync.station.retention import RetentionRule
from sync.station.status import SyncStatus
from tests.support.capture import capture
from tests.support.station import DEVICE, Station


def hand_out(workspace: Workspace, device_id: str | None = None, **settings: Any) -> None:
    """Let the server's settings have arrived."""
    with workspace.database.transaction() as session, remote_changes(session):
        session.add(StationConfig(device_id=device_id, settings=settings, rev=99))


def applied(workspace: Workspace, **own: Any):
    with workspace.database.read() as session:
        return applied_settings(session, workspace.device_id, StationSettings(**own))


def test_a_station_decides_where_the_server_says_nothing(workspace: Workspace) -> None:
    found = applied(workspace, retention_days=5, retention_keep_ng=True, offline_sign_in_days=3, language="ja")
    assert (found.retention, found.offline_sign_in_days, found.language) == (RetentionRule(5, True), 3, "ja")


def test_images_stay_for_ever_where_nobody_says_how_long(workspace: Workspace) -> None:
    assert applied(workspace).retention is None


def test_the_servers_settings_hold_over_the_stations(workspace: Workspace) -> None:
    hand_out(workspace, retention_days=90, retention_keep_ng=True, offline_sign_in_days=2, language="en")
    found = applied(workspace, retention_days=5, offline_sign_in_days=3, language="ja")
    assert (found.retention, found.offline_sign_in_days, found.language) == (RetentionRule(90, True), 2, "en")


def test_settings_for_one_station_hold_over_those_for_all(workspace: Workspace) -> None:
    hand_out(workspace, retention_days=90)
    hand_out(workspace, DEVICE, retention_days=7)
    assert applied(workspace).retention == RetentionRule(7, False)


def test_the_window_begins_in_the_language_the_server_hands_out(station: Station) -> None:
    with Workspace.open(station.store, settings=StationSettings(language="en")) as workspace:
        assert workspace.language == "en"
        hand_out(workspace, language="ja")
    with Workspace.open(station.store, settings=StationSettings(language="en")) as workspace:
        assert workspace.language == "ja"


def test_the_pause_between_passes_is_the_one_the_server_hands_out(workspace: Workspace) -> None:
    engine = workspace.link.engine
    assert engine.pause_s() == workspace.settings.sync_interval_s
    hand_out(workspace, sync_interval_s=600.0)
    assert engine.pause_s() == 600.0


@pytest.mark.parametrize(("days", "allowed"), [(3, True), (1, False)])
def test_days_without_the_server_count_from_the_last_sign_in_with_it(
    workspace: Workspace, station: Station, days: int, allowed: bool
) -> None:
    signed_in = utc_now() - timedelta(days=2)
    credential = UserCredential(
        user_id=station.operator.user_id,
        password_digest=PasswordHash((Argon2Hasher(),)).hash("secret"),
        expires_at=signed_in + timedelta(days=14),
    )
    credential.updated_at = signed_in
    with workspace.database.transaction() as session:
        session.add(credential)
    hand_out(workspace, offline_sign_in_days=days)
    if allowed:
        assert sign_in(workspace, "operator", "secret").user_id == station.operator.user_id
        return
    with pytest.raises(NotSignedIn) as refused:
        sign_in(workspace, "operator", "secret")
    assert refused.value.code == "sign-in-expired"


def old_acknowledged_part(workspace: Workspace, station: Station, frame: Any) -> str:
    """Inspect a part, as if it had been long ago and the server had it all; return its session."""
    session_id = capture(workspace, station.operator, station.target_id, station.item_id, frame).session_id
    with workspace.database.transaction() as session:
        session.get_one(InspectionSession, session_id).status = SessionStatus.CANCELLED
    with workspace.database.transaction() as session:
        session.query(OutboxEntry).delete()
        session.execute(update(Blob).values(uploaded_at=utc_now()))
        with remote_changes(session):
            for image in session.query(ImageRecord).where(ImageRecord.session_id == session_id):
                image.rev = 1
                image.captured_at = utc_now() - timedelta(days=40)
    return session_id


def test_an_image_deleted_by_age_is_said_to_be_on_the_server(
    workspace: Workspace, station: Station, frames: list[Any]
) -> None:
    session_id = old_acknowledged_part(workspace, station, frames[0])
    assert apply_retention(workspace, days=30).files == 2
    sha256 = part(workspace, session_id).image_sha256
    assert sha256 is not None
    with pytest.raises(NotFound) as caught:
        read_picture(workspace, sha256)
    assert caught.value.code == "image-on-server-only"
    assert "finding-blob" not in {finding.code for finding in check_store(workspace.store).findings}


def test_bytes_that_retention_deletes_before_their_record_are_written_again(
    workspace: Workspace, station: Station
) -> None:
    with stored(workspace, [(b"same bytes", "image/png")]) as blobs:
        workspace.blobs.delete(blobs[0].sha256)
        with workspace.database.transaction() as session:
            name_blob(session, blobs[0])
    assert workspace.blobs.read(blobs[0].sha256) == b"same bytes"


def test_retention_without_a_setting_is_refused(workspace: Workspace) -> None:
    with pytest.raises(Conflict) as caught:
        apply_retention(workspace)
    assert caught.value.code == "retention-not-set"


@pytest.mark.parametrize(("limit", "told"), [(0, False), (10_000_000, True)])
def test_a_disk_nearly_full_is_told_of(workspace: Workspace, limit: int, told: bool) -> None:
    workspace.settings = StationSettings(disk_warning_mb=limit)
    before = set(workspace.blobs.digests())
    warning = disk_warning(workspace, SyncStatus(blobs_waiting=3))
    assert (warning.code if warning else None) == ("disk-nearly-full" if told else None)
    assert set(workspace.blobs.digests()) == before


def test_old_images_go_by_themselves_after_a_pass(workspace: Workspace, station: Station, frames: list[Any]) -> None:
    old_acknowledged_part(workspace, station, frames[0])
    before = set(workspace.blobs.digests())
    upkeep = (workspace.database, workspace.blobs, workspace.device_id, workspace.settings)
    assert daily_upkeep(*upkeep) == []
    assert set(workspace.blobs.digests()) == before, "no setting says so"
    hand_out(workspace, retention_days=30)
    assert daily_upkeep(*upkeep) == []
    assert len(before - set(workspace.blobs.digests())) == 2, "image and heatmap"
