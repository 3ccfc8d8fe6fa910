"""Two stores under one station's id: the server takes one, and neither loses what it recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.audit import AuditEntry, append_audit, verify_audit
from models.devices import DeviceStore
from models.errors import Conflict, Unavailable
from models.sessions import InspectionSession
from models.states import OutboxState, StoreState
from models.targets import Target
from sync.shared.problems import STORE_FORKED
from sync.station.identity import branch
from sync.station.state import FORKED_AT, LEASE, STORE_ID, STORE_PARENT, get_value
from tests.support.sync_stores import ServerStore, Station, prepared

pytestmark = pytest.mark.slow


@pytest.fixture
def original(server: ServerStore, make_station: Callable[[], Station]) -> Station:
    station = make_station()
    prepared(server, station)
    return station


@pytest.fixture
def make_copy(tmp_path: Path) -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def copy(station: Station, machine: str = "") -> Station:
        made.append(station.copy(tmp_path / f"copy-{len(made)}", machine=machine))
        return made[-1]

    yield copy
    for station in made:
        station.close()


def inspect(station: Station) -> str:
    with station.database.read() as session:
        target = session.scalars(select(Target)).one()
    return station.inspect_part(target.id)


def remark(station: Station, action: str) -> None:
    with station.database.transaction() as session:
        append_audit(session, device_id=station.device_id, actor="person", action=action)


def state_of(station: Station, key: str) -> str | None:
    with station.database.read() as session:
        return get_value(session, key)


def accept(server: ServerStore, station: Station) -> None:
    server.accept(station.device_id, state_of(station, STORE_ID) or "")


def refused(station: Station) -> bool:
    with pytest.raises(Conflict) as caught:
        station.sync()
    return caught.value.code == STORE_FORKED


def parts_on(server: ServerStore) -> set[str]:
    with server.database.read() as session:
        return set(session.scalars(select(InspectionSession.id)))


def actions_on(server: ServerStore, device_id: str) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.device_id == device_id).order_by(AuditEntry.sequence)
    with server.database.read() as session:
        return list(session.scalars(query))


def test_the_copy_that_sends_second_is_refused(original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    inspect(copy)
    assert refused(copy)


def test_a_refused_copy_keeps_what_it_recorded(server, original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    part = inspect(copy)
    assert refused(copy)
    assert part not in parts_on(server)
    assert {entry.entity for entry in copy.outbox()} >= {"inspection_session", "image", "ai_result"}
    assert all(entry.state is OutboxState.WAITING for entry in copy.outbox())


def test_the_store_that_was_first_goes_on_beside_a_refused_copy(server, original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    assert refused(copy)
    part = inspect(original)
    original.sync()
    assert part in parts_on(server)


def test_a_copy_on_another_machine_is_refused_although_it_sends_first(server, tmp_path, make_copy):
    station = Station(tmp_path / "bound", server, "bound", machine="machine one")
    prepared(server, station)
    copy = make_copy(station, "machine two")
    inspect(copy)
    assert refused(copy)
    inspect(station)
    station.sync()
    station.close()


def test_the_administrator_sees_both_stores(server, original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    assert refused(copy)
    with server.database.read() as session:
        found = {store.id: (store.state, store.parent_id) for store in session.scalars(select(DeviceStore))}
    first = state_of(original, STORE_ID)
    assert found == {first: (StoreState.CURRENT, None), state_of(copy, STORE_ID): (StoreState.REFUSED, first)}


def test_a_copy_that_asks_again_is_no_further_store(server, original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    for _ in range(3):
        assert refused(copy)
    with server.database.read() as session:
        assert len(session.scalars(select(DeviceStore)).all()) == 2


def test_an_accepted_copy_sends_all_it_recorded(server, original, make_copy):
    copy = make_copy(original)
    kept = inspect(original)
    original.sync()
    part = inspect(copy)
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    assert parts_on(server) == {kept, part}
    assert (copy.outbox(), state_of(copy, FORKED_AT)) == ([], None)


def test_the_store_that_was_replaced_is_refused(server, original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    inspect(original)
    assert refused(original)


def test_audit_entries_of_both_lives_form_one_chain(server, original, make_copy):
    copy = make_copy(original)
    remark(original, "first.life")
    original.sync()
    remark(copy, "second.life")
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    assert actions_on(server, original.device_id) == [
        "first.life",
        "second.life",
        "sync.store_forked",
        "audit.entries_moved",
    ]
    with server.database.read() as session:
        assert [problem for problem in verify_audit(session) if problem.device_id == original.device_id] == []


def test_the_chain_of_an_accepted_copy_holds_on_the_station(server, original, make_copy):
    copy = make_copy(original)
    remark(original, "first.life")
    original.sync()
    remark(copy, "second.life")
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    with copy.database.read() as session:
        assert verify_audit(session) == []


def test_a_moved_entry_tells_its_former_place(server, original, make_copy):
    copy = make_copy(original)
    remark(original, "first.life")
    original.sync()
    remark(copy, "second.life")
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    with server.database.read() as session:
        moved = session.scalars(select(AuditEntry).where(AuditEntry.action == "second.life")).one()
    assert (moved.sequence, moved.extra["former_place"]["sequence"]) == (2, 1)


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_a_claim_that_is_cut_is_no_fork(original, fault):
    inspect(original)
    original.link.claim_faults[:] = [fault]
    with pytest.raises(Unavailable):
        original.sync()
    original.sync()
    assert original.outbox() == []


def test_a_pass_without_anything_to_send_keeps_its_lease(original):
    original.sync()
    before = state_of(original, LEASE)
    original.sync()
    assert state_of(original, LEASE) == before


def test_a_restored_store_goes_on_where_the_life_after_its_backup_ended(server, original, make_copy):
    copy = make_copy(original)
    remark(original, "later.life")
    later = inspect(original)
    original.sync()
    with copy.database.transaction() as session:
        branch(session, restored=True)
    part = inspect(copy)
    remark(copy, "after.restore")
    copy.sync()
    assert parts_on(server) == {later, part}
    assert copy.record(InspectionSession, later) is not None
    assert actions_on(server, original.device_id)[:2] == ["later.life", "after.restore"]
    with copy.database.read() as session:
        assert verify_audit(session) == []


def test_changes_that_waited_in_a_backup_have_one_effect(server, original, make_copy):
    part = inspect(original)
    remark(original, "waits.in.backup")
    copy = make_copy(original)
    original.sync()
    with copy.database.transaction() as session:
        branch(session, restored=True)
    report = copy.sync()
    assert (report.dead, copy.outbox(), parts_on(server)) == (0, [], {part})
    assert actions_on(server, original.device_id).count("waits.in.backup") == 1


def test_the_life_that_a_restore_ended_is_refused(original, make_copy):
    copy = make_copy(original)
    inspect(original)
    original.sync()
    with copy.database.transaction() as session:
        branch(session, restored=True)
    copy.sync()
    inspect(original)
    assert refused(original)


def test_a_backup_restored_on_another_machine_waits_for_the_administrator(server, tmp_path, make_copy):
    station = Station(tmp_path / "bound", server, "bound", machine="machine one")
    prepared(server, station)
    copy = make_copy(station, "machine two")
    with copy.database.transaction() as session:
        branch(session, restored=True)
    assert refused(copy)
    accept(server, copy)
    copy.sync()
    assert state_of(copy, STORE_PARENT) == state_of(station, STORE_ID)
    station.close()
