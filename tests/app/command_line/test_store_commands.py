"""``imageflow admin devices`` for stores and revocation, and ``imageflow admin offers``."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from models.devices import Device, DeviceStore
from models.ids import new_id
from models.states import DeviceStatus, StoreState
from models.sync import OfferedMaster
from server.context import open_context
from server.core.settings import ServerSettings
from tests.support.command import run

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path):
    """Folder of a server with a station of two stores and a target that it offers; ids of the three."""
    device = Device(name="Line 1", credential_digest="0" * 64)
    refused = DeviceStore(id=new_id(), device_id=device.id, state=StoreState.REFUSED)
    own = DeviceStore(id=new_id(), device_id=device.id, state=StoreState.CURRENT)
    offer = OfferedMaster(
        entity="target", entity_id=new_id(), label="T-1", clock="1760000000000-0000-server", device_id=device.id
    )
    context = open_context(ServerSettings(data_dir=tmp_path / "data"))
    with context.database.local_transaction() as session:
        session.add_all([device, own, refused, offer])
    context.close()
    return tmp_path / "data", device.id, refused.id, offer.entity_id


def kept(folder, query):
    context = open_context(ServerSettings(data_dir=folder))
    with context.database.read() as session:
        found = session.scalars(query).one()
    context.close()
    return found


def test_the_stores_of_a_station_are_listed(capsys, data):
    folder, device_id, refused, _ = data
    ended, out, _ = run(capsys, "admin", "devices", "stores", device_id, "--data-dir", folder, "--json")
    states = {store["id"]: store["state"] for store in map(json.loads, out.splitlines())}
    assert (ended, len(states), states[refused]) == (0, 2, "refused")


def test_a_refused_store_is_accepted(capsys, data):
    folder, device_id, refused, _ = data
    assert run(capsys, "admin", "devices", "accept-store", device_id, refused, "--data-dir", folder)[0] == 0
    current = kept(folder, select(DeviceStore).where(DeviceStore.state == StoreState.CURRENT))
    assert (current.id, current.decided_by) == (refused, "admin-command")


def test_a_station_is_revoked(capsys, data):
    folder, device_id, _, _ = data
    assert run(capsys, "admin", "devices", "revoke", device_id, "--data-dir", folder)[0] == 0
    assert kept(folder, select(Device)).status is DeviceStatus.REVOKED


def test_what_stations_offer_is_listed(capsys, data):
    folder, _, _, target_id = data
    ended, out, _ = run(capsys, "admin", "offers", "list", "--data-dir", folder, "--json")
    assert (ended, [json.loads(line)["entity_id"] for line in out.splitlines()]) == (0, [target_id])


@pytest.mark.parametrize("everything", [True, False])
def test_an_offer_is_taken(capsys, data, everything):
    folder, _, _, target_id = data
    chosen = "--all" if everything else target_id
    assert run(capsys, "admin", "offers", "take", chosen, "--data-dir", folder)[0] == 0
    assert kept(folder, select(OfferedMaster)).taken_at is not None


def test_offers_are_named_or_all_are_taken(capsys, data):
    assert run(capsys, "admin", "offers", "take", "--data-dir", data[0])[0] == 2
