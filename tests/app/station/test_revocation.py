"""A station that its server has revoked wipes its credential, and keeps what it has not sent."""

from __future__ import annotations

import keyring
import pytest
from sqlalchemy import select

from app.station.server_link import ServerLink
from app.station.settings import StationSettings
from models.audit import AuditEntry
from models.clock import HybridLogicalClock
from models.errors import NotSignedIn
from models.sync import OutboxEntry
from models.targets import Target
from sync.shared.problems import DEVICE_REVOKED
from sync.station.blobs import BlobStore
from sync.station.credentials import CredentialStore
from sync.station.hold import Hold
from sync.station.outbox import OutboxRecorder
from sync.station.status import stored_status
from tests.support.keyrings import Keys
from tests.support.serving import Served, enrol, serve_with_users
from tests.support.sync_stores import migrated

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def keys():
    before, made = keyring.get_keyring(), Keys()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def link(served: Served, keys, tmp_path):
    """The link of a station that was revoked with a change still waiting."""
    enrolled = enrol(served)
    credentials = CredentialStore()
    credentials.set(enrolled["device_id"], enrolled["credential"])
    clock = HybridLogicalClock(enrolled["device_id"])
    database = migrated(tmp_path / "station.sqlite3", OutboxRecorder(clock))
    made = ServerLink(
        server_url=served.url,
        device_id=enrolled["device_id"],
        credentials=credentials,
        database=database,
        blobs=BlobStore(tmp_path / "blobs"),
        clock=clock,
        settings=StationSettings(),
        language=lambda: "en",
        held=lambda: Hold.NOTHING,
        metered=lambda: None,
    )
    made.engine.run_once()
    with database.transaction() as session:
        session.add(Target(code="WAITS", name="waits"))
    served["admin"].put(f"/devices/{enrolled['device_id']}", json={"status": "revoked"})
    yield made
    made.close()
    database.close()


def refused(link: ServerLink) -> str:
    with pytest.raises(NotSignedIn) as caught:
        link.engine.run_once()
    return caught.value.code


def test_a_revoked_stations_credential_is_wiped(link, keys):
    assert refused(link) == DEVICE_REVOKED
    assert keys.kept == {}


def test_a_revoked_station_keeps_saying_why(link):
    assert [refused(link), refused(link)] == [DEVICE_REVOKED] * 2


def test_a_revoked_station_keeps_what_it_has_not_sent(link):
    refused(link)
    with link.engine.database.read() as session:
        assert "target" in session.scalars(select(OutboxEntry.entity)).all()


def test_the_revocation_is_shown(link):
    refused(link)
    assert stored_status(link.engine.database).store.revoked_at is not None


def test_the_revocation_is_in_the_audit_trail(link):
    refused(link)
    with link.engine.database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["sync.station_revoked"]
