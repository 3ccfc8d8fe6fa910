"""A store that becomes another station's: at the same server, and at one that knows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.audit import AuditEntry, append_audit, verify_audit
from models.clock import rfc3339, utc_now
from models.devices import Device
from models.errors import Conflict
from models.ids import new_id
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, Role
from models.sync import OfferedMaster
from models.targets import Target
from models.users import User
from models.verification import HumanVerification
from sync.shared.protocol import SCHEMA_VERSION, Batch
from sync.station.comparing import begin_comparison
from sync.station.new_device import become_device, held_counts
from sync.station.outbox import change_of
from sync.station.state import DRIFT_CHECKED_AT, set_value
from sync.station.status import stored_status
from tests.support.sync_stores import ServerStore, Station, contents, prepared

pytestmark = pytest.mark.slow
Pair = tuple[Station, Station]


@pytest.fixture
def forked(server: ServerStore, make_station: Callable[[], Station], tmp_path: Path) -> Iterator[Pair]:
    """A station that goes on, and a refused copy of it with a part of its own."""
    original = make_station()
    user, target, _ = prepared(server, original)
    original.inspect_part(target.id, user.id)
    original.sync()
    copy = original.copy(tmp_path / "copy")
    original.inspect_part(target.id, user.id)
    original.sync()
    with pytest.raises(Conflict):
        copy.sync()
    yield original, copy
    copy.close()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[ServerStore]:
    store = ServerStore(tmp_path / "new server")
    store.add(User(username="administrator", role=Role.ADMIN))
    yield store
    store.close()


def enrol_anew(station: Station, server: ServerStore, *, same_server: bool, succeeds: bool = True) -> Station:
    """The store of ``station`` as that of a station newly enrolled at ``server``."""
    device_id = server.add_device("anew")
    if succeeds and same_server:
        with server.database.local_transaction() as session:
            session.get_one(Device, device_id).succeeds_id = station.device_id
    with station.database.transaction() as session:
        become_device(
            session, former_id=station.device_id, device_id=device_id, server_url="test:", same_server=same_server
        )
    station.settle()
    return Station(station.folder, server, "anew", device_id=device_id)


def part_of(station: Station, **fields) -> str:
    with station.database.read() as session:
        target_id = session.scalars(select(Target.id)).first()
    return station.inspect_part(target_id, **fields)


def first_part(station: Station) -> str:
    with station.database.read() as session:
        return session.scalars(select(InspectionSession.id).order_by(InspectionSession.id)).first() or ""


def owner(server: ServerStore, part: str) -> str | None:
    found = server.record(InspectionSession, part)
    return found.device_id if found is not None else None


def test_what_a_refused_copy_recorded_goes_under_the_new_station(server, forked):
    _, copy = forked
    part = part_of(copy, image=b"of the copy")
    anew = enrol_anew(copy, server, same_server=True)
    report = anew.sync()
    assert (report.dead, anew.outbox(), owner(server, part)) == (0, [], anew.device_id)
    anew.close()


def test_what_the_original_had_sent_stays_its_own(server, forked):
    original, copy = forked
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    with server.database.read() as session:
        owners = session.scalars(select(InspectionSession.device_id)).all()
    assert owners == [original.device_id] * 2
    anew.close()


def test_a_copy_completes_a_part_that_it_holds_of_the_original(server, forked):
    _, copy = forked
    part = first_part(copy)
    copy.verify_part(part, HumanVerdict.NG)
    anew = enrol_anew(copy, server, same_server=True)
    report = anew.sync()
    with server.database.read() as session:
        found = session.scalars(select(HumanVerification)).one()
    assert (report.dead, found.session_id, found.device_id) == (0, part, anew.device_id)
    assert server.record(InspectionSession, part).effective_verdict == HumanVerdict.NG
    anew.close()


def test_a_station_that_proved_nothing_completes_no_part_of_another(server, forked):
    _, copy = forked
    part = first_part(copy)
    copy.verify_part(part, HumanVerdict.NG)
    anew = enrol_anew(copy, server, same_server=True, succeeds=False)
    assert anew.sync().dead > 0
    anew.close()


def test_both_chains_hold_after_a_copy_became_a_station(server, forked):
    original, copy = forked
    with copy.database.transaction() as session:
        append_audit(session, device_id=copy.device_id, actor="a", action="on.the.copy")
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    with server.database.read() as session:
        assert [one for one in verify_audit(session) if one.device_id in {original.device_id, anew.device_id}] == []
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.device_id == anew.device_id)).all()
    assert "on.the.copy" in actions
    with anew.database.read() as session:
        assert verify_audit(session) == []
    anew.close()


def test_the_original_goes_on_beside_the_new_station(server, forked):
    original, copy = forked
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    part = part_of(original)
    original.sync()
    assert owner(server, part) == original.device_id
    anew.close()


@pytest.fixture
def waiting_twice(server: ServerStore, make_station: Callable[[], Station], tmp_path: Path) -> Iterator[Pair]:
    """A station, and a refused copy from when a part and an audit entry waited that the station has sent since."""
    original = make_station()
    user, target, _ = prepared(server, original)
    original.sync()
    original.inspect_part(target.id, user.id)
    with original.database.transaction() as session:
        append_audit(session, device_id=original.device_id, actor="a", action="before.the.copy")
    copy = original.copy(tmp_path / "copy")
    original.sync()
    with pytest.raises(Conflict):
        copy.sync()
    yield original, copy
    copy.close()


def test_a_change_that_the_original_has_sent_meanwhile_is_no_dead_letter(server, waiting_twice):
    _, copy = waiting_twice
    anew = enrol_anew(copy, server, same_server=True)
    report = anew.sync()
    assert (report.dead, report.retried, anew.outbox()) == (0, 0, [])
    anew.close()


def test_a_part_that_the_original_has_sent_meanwhile_is_the_originals(server, waiting_twice):
    original, copy = waiting_twice
    part = first_part(copy)
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    with anew.database.read() as session:
        assert session.get_one(InspectionSession, part).device_id == original.device_id == owner(server, part)
    anew.close()


def test_an_audit_entry_that_both_stores_hold_is_in_both_chains(server, waiting_twice):
    original, copy = waiting_twice
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    query = select(AuditEntry.device_id).where(AuditEntry.action == "before.the.copy")
    with server.database.read() as session:
        assert set(session.scalars(query)) == {original.device_id, anew.device_id}
        assert [one for one in verify_audit(session) if one.device_id == anew.device_id] == []
    anew.close()


@pytest.fixture
def sent_by_copy(server: ServerStore, make_station: Callable[[], Station], tmp_path: Path) -> Iterator[Pair]:
    """A station with a part that waits, and the new station of a copy of its store, which has sent that part."""
    original = make_station()
    user, target, _ = prepared(server, original)
    original.inspect_part(target.id, user.id)
    copy = original.copy(tmp_path / "copy")
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    yield original, anew
    anew.close()


def test_what_a_copy_has_sent_first_is_no_dead_letter_of_the_original(server, sent_by_copy):
    original, _ = sent_by_copy
    report = original.sync()
    assert (report.dead, report.retried, original.outbox()) == (0, 0, [])


def test_a_part_that_a_copy_has_sent_first_is_the_originals_in_the_end(server, sent_by_copy):
    original, anew = sent_by_copy
    original.sync()
    anew.sync()
    assert {tuple(owners(one.database)) for one in (server, original, anew)} == {(original.device_id,) * 3}


def test_the_original_goes_on_with_a_part_that_a_copy_has_sent_first(server, sent_by_copy):
    original, _ = sent_by_copy
    part = first_part(original)
    original.verify_part(part, HumanVerdict.NG)
    report = original.sync()
    assert (report.dead, report.retried) == (0, 0)
    assert server.record(InspectionSession, part).effective_verdict == HumanVerdict.NG


def test_a_part_that_was_given_back_is_no_difference(server, sent_by_copy):
    for station in (*sent_by_copy, *sent_by_copy):
        station.sync()
        with station.database.transaction() as session:
            set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now() - timedelta(days=2)))
    for station in sent_by_copy:
        station.sync()
        assert stored_status(station.database).store.drift is None


def test_a_change_of_a_stranger_is_not_acknowledged_to_a_station(server, make_station, sent_by_copy):
    original, _ = sent_by_copy
    stranger = make_station("two")
    stranger.sync()
    change = change_of(original.outbox()[0])
    answer = server.push(
        Batch(device_id=stranger.device_id, batch_id=new_id(), schema_version=SCHEMA_VERSION, changes=[change]),
        stranger.device_id,
    )
    assert answer.results[0].problem["type"].endswith("sync-other-device")


def test_what_a_copy_completes_comes_to_the_original(server, forked):
    original, copy = forked
    part = first_part(copy)
    copy.verify_part(part, HumanVerdict.NG)
    anew = enrol_anew(copy, server, same_server=True)
    anew.sync()
    original.sync()
    with original.database.read() as session:
        assert session.get_one(InspectionSession, part).effective_verdict == HumanVerdict.NG
    anew.close()


def test_a_new_server_gets_what_was_not_sent(new_server, forked):
    _, copy = forked
    held = held_counts(copy.database, copy.device_id).records["inspection_session"]
    anew = enrol_anew(copy, new_server, same_server=False)
    anew.sync()
    with new_server.database.read() as session:
        assert (held, session.scalars(select(InspectionSession)).all()) == (1, [])
    anew.close()


def test_a_new_server_gets_everything_by_choice(new_server, forked):
    _, copy = forked
    part_of(copy, image=b"kept")
    anew = enrol_anew(copy, new_server, same_server=False)
    with anew.database.transaction() as session:
        begin_comparison(session)
    anew.sync()
    with new_server.database.local_transaction() as session:
        for row in session.scalars(select(OfferedMaster)):
            row.taken_at = utc_now()
    for _ in range(3):
        anew.sync()
    assert anew.outbox() == []
    leaving = frozenset({"audit_entry"})
    assert contents(new_server.database, without=leaving) == contents(anew.database, without=leaving)
    anew.close()


def test_the_trail_of_before_comes_to_a_new_server(new_server, forked):
    _, copy = forked
    anew = enrol_anew(copy, new_server, same_server=False)
    with anew.database.transaction() as session:
        begin_comparison(session)
    anew.sync()
    with new_server.database.read() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.device_id == anew.device_id)).all()
        assert [one for one in verify_audit(session) if one.device_id == anew.device_id] == []
    assert {"sync.store_forked", "sync.enrolled_anew"} <= set(actions)
    anew.close()


def owners(database) -> list[str]:
    """Whose the parts, images and results are."""
    with database.read() as session:
        return [
            found
            for kind in (InspectionSession, ImageRecord, AIResult)
            for found in session.scalars(select(kind.device_id))
        ]
