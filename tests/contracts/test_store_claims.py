"""Claims of stores, offers and generations on each engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models.clock import utc_now
from models.devices import Device, DeviceStore
from models.errors import Conflict
from models.ids import new_id
from models.states import StoreState
from models.sync import OfferedMaster
from server.change_log.generation import generation
from server.context import ServerContext
from server.health.waiting import station_lags
from server.process.backup import mark_restored
from server.sync.comparing import lacking
from server.sync.drift import differing_days
from server.sync.offers import keep_offers
from server.sync.stores import begin_pass
from sync.shared.leases import Lease
from sync.shared.protocol import DriftQuestion, HeldRecord, Inventory, StoreClaim

pytestmark = pytest.mark.slow
CLOCK = "1760000000000-0000-server"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def device_id(context: ServerContext) -> str:
    device = Device(name="Line 1", credential_digest="0" * 64)
    with context.database.local_transaction() as session:
        session.add(device)
    return device.id


def first_claim(store_id: str) -> StoreClaim:
    return StoreClaim(store_id=store_id, next=str(Lease(1, "0" * 16)))


def after(claim: StoreClaim) -> StoreClaim:
    """The claim of the pass after, as one of several copies makes it."""
    return claim.model_copy(update={"held": claim.next, "next": str(Lease.parse(claim.next).following())})


def outcome(context: ServerContext, device_id: str, claim: StoreClaim) -> str:
    try:
        begin_pass(context.database, device_id, claim)
    except Conflict as error:
        return error.code
    return "taken"


def test_of_copies_that_claim_at_once_one_goes_on(context, device_id):
    claim = first_claim(new_id())
    begin_pass(context.database, device_id, claim)
    copies = [after(claim) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda copy: outcome(context, device_id, copy), copies))
    assert sorted(outcomes) == ["store-forked"] * 7 + ["taken"]


def test_of_stores_that_bind_at_once_one_is_the_stations_own(context, device_id):
    claims = [first_claim(new_id()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda claim: outcome(context, device_id, claim), claims))
    query = select(DeviceStore.state).where(DeviceStore.device_id == device_id)
    with context.database.read() as session:
        assert sorted(session.scalars(query)) == [StoreState.CURRENT, *[StoreState.REFUSED] * 7]


def test_a_claim_names_the_generation_after_a_mark(context, device_id):
    claim = first_claim(new_id())
    before = begin_pass(context.database, device_id, claim).generation
    marked = mark_restored(context.settings)
    assert begin_pass(context.database, device_id, claim).generation == marked != before
    with context.database.read() as session:
        assert generation(session) == marked


def seen_ago(context: ServerContext, device_id: str, age: timedelta) -> None:
    with context.database.local_transaction() as session:
        session.get_one(Device, device_id).last_seen_at = utc_now() - age
        store = session.scalars(select(DeviceStore).where(DeviceStore.device_id == device_id)).one()
        store.last_seen_at = utc_now() - age


def lags(context: ServerContext, device_id: str) -> tuple[float, float]:
    """Seconds since the station was seen, and since it synchronised."""
    with context.database.read() as session:
        seen = session.get_one(Device, device_id).last_seen_at
        return (utc_now() - (seen or BEFORE)).total_seconds(), station_lags(session)[device_id]


def test_a_pass_with_nothing_to_send_is_noted(context, device_id):
    claim = first_claim(new_id())
    begin_pass(context.database, device_id, claim)
    assert max(lags(context, device_id)) < 60
    seen_ago(context, device_id, timedelta(minutes=50))
    begin_pass(context.database, device_id, claim)
    assert max(lags(context, device_id)) < 60


def test_a_pass_is_noted_once_a_minute(context, device_id):
    claim = first_claim(new_id())
    begin_pass(context.database, device_id, claim)
    seen_ago(context, device_id, timedelta(seconds=30))
    begin_pass(context.database, device_id, claim)
    assert min(lags(context, device_id)) >= 30


def test_a_refused_pass_is_no_sign_of_life_of_a_station(context, device_id):
    begin_pass(context.database, device_id, first_claim(new_id()))
    seen_ago(context, device_id, timedelta(minutes=50))
    assert outcome(context, device_id, first_claim(new_id())) == "store-forked"
    assert min(lags(context, device_id)) >= 3_000


def test_an_offer_is_kept_once(context, device_id):
    one = HeldRecord(entity="target", entity_id=new_id(), clock=CLOCK, foreign_clock=CLOCK, label="T-1")
    held = Inventory(records=[one])
    for _ in range(2):
        with context.database.read() as session:
            found = lacking(session, context.objects, held)
        with context.database.local_transaction() as session:
            keep_offers(session, device_id, held, found)
    with context.database.read() as session:
        assert [row.label for row in session.scalars(select(OfferedMaster))] == ["T-1"]


def test_two_empty_sides_do_not_differ(context, device_id):
    asked = DriftQuestion(since="2025-01-01", entities=["image", "target", "station_config"], days=[])
    with context.database.read() as session:
        assert differing_days(session, device_id, asked).differing == []
