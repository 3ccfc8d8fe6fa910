"""Masters that a restored server lost: edits of a station come again, what others made is offered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.clock import utc_now
from models.errors import Unavailable
from models.sessions import InspectionSession
from models.states import OutboxState
from models.sync import OfferedMaster, SyncConflict
from models.targets import InspectionItem, Target
from models.users import User
from sync.station.pulling import forget_cursor
from tests.support.server_backup import Backup
from tests.support.sync_stores import ServerStore, Station, masters, prepared

pytestmark = pytest.mark.slow

Restored = tuple[Station, User, Target, Backup]


@pytest.fixture
def known(server: ServerStore, make_station: Callable[[], Station], tmp_path: Path) -> Restored:
    """A station, a user and a target of before the backup, and the backup to restore."""
    station = make_station()
    user, target, _ = prepared(server, station)
    return station, user, target, Backup(server, tmp_path / "backup")


def new_target(server: ServerStore, station: Station) -> Target:
    """A target that the server made after the backup and the station holds."""
    _, target, _ = masters()
    server.add(target)
    station.sync()
    return target


def take_all(server: ServerStore) -> None:
    with server.database.local_transaction() as session:
        for row in session.scalars(select(OfferedMaster)):
            row.taken_at = utc_now()


def offered(server: ServerStore) -> list[tuple[str, str]]:
    with server.database.read() as session:
        return [(row.entity, row.label) for row in session.scalars(select(OfferedMaster))]


def test_an_edit_of_a_stations_user_comes_again(server, known):
    station, user, target, backup = known
    station.edit(Target, target.id, user.id, name="Edited here")
    station.sync()
    backup.restore()
    station.sync()
    station.sync()
    assert (server.record(Target, target.id).name, offered(server)) == ("Edited here", [])


def test_a_target_made_at_a_station_comes_again(server, known):
    station, user, _, backup = known
    made = Target(code="HERE", name="Made here")
    station.add(user.id, made)
    station.sync()
    backup.restore()
    station.sync()
    assert server.record(Target, made.id).name == "Made here"


def test_parts_of_a_target_that_comes_again_go_in_the_same_pass(server, known):
    station, user, _, backup = known
    made = Target(code="HERE", name="Made here")
    station.add(user.id, made)
    station.sync()
    station.inspect_part(made.id)
    backup.restore()
    report = station.sync()
    assert (report.retried, station.outbox()) == (0, [])


def test_an_edit_that_comes_again_is_no_conflict(server, known):
    station, user, target, backup = known
    station.edit(Target, target.id, user.id, name="Edited here")
    station.sync()
    backup.restore()
    station.sync()
    with server.database.read() as session:
        assert session.scalars(select(SyncConflict)).all() == []


def test_a_station_never_shows_the_older_value_again(known):
    station, user, target, backup = known
    station.edit(Target, target.id, user.id, name="Edited here")
    station.sync()
    backup.restore()
    for calls in range(8):
        station.link.faults[:] = [""] * calls + ["lost"]
        with suppress(Unavailable):
            station.sync()
        assert station.record(Target, target.id).name == "Edited here"


def test_a_newer_edit_on_the_restored_server_wins(server, known):
    station, user, target, backup = known
    station.edit(Target, target.id, user.id, name="Edited here")
    station.sync()
    backup.restore()
    with server.database.transaction() as session:
        session.get_one(Target, target.id).name = "Newer"
    station.sync()
    station.sync()
    assert [server.record(Target, target.id).name, station.record(Target, target.id).name] == ["Newer", "Newer"]


def test_what_only_the_server_made_is_offered(server, known):
    station, _, _, backup = known
    target = new_target(server, station)
    backup.restore()
    report = station.sync()
    assert offered(server) == [("target", target.code)]
    assert (report.dead, server.record(Target, target.id)) == (0, None)


def test_the_administrator_finds_the_loss_in_the_audit_trail(server, known):
    station, _, _, backup = known
    target = new_target(server, station)
    backup.restore()
    station.sync()
    with server.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.masters_offered")).one()
    assert entry.detail == {"masters": [f"target {target.code}"], "count": 1, "station": station.device_id}


def test_an_offer_waits_without_a_dead_letter(server, known):
    station, _, _, backup = known
    target = new_target(server, station)
    backup.restore()
    for _ in range(3):
        station.sync()
    waiting = [
        (entry.entity_id, entry.state, entry.last_error) for entry in station.outbox() if entry.entity == "target"
    ]
    assert waiting == [(target.id, OutboxState.WAITING, "master-not-taken")]


def test_a_taken_offer_brings_the_parts_that_waited_for_it(server, known):
    station, user, _, backup = known
    target = new_target(server, station)
    part = station.inspect_part(target.id, user.id)
    station.sync()
    backup.restore()
    station.sync()
    assert server.record(InspectionSession, part) is None
    take_all(server)
    station.sync()
    assert server.record(InspectionSession, part).target_id == target.id
    assert station.outbox() == []


def test_an_item_of_a_lost_target_comes_after_it(server, known):
    station, _, _, backup = known
    _, target, item = masters()
    server.add(target, item)
    station.sync()
    backup.restore()
    station.sync()
    take_all(server)
    station.sync()
    assert server.record(InspectionItem, item.id).target_id == target.id


def test_a_field_that_others_changed_is_offered(server, known):
    station, _, target, backup = known
    with server.database.transaction() as session:
        session.get_one(Target, target.id).name = "By the server"
    station.sync()
    backup.restore()
    station.sync()
    assert offered(server) == [("target", target.code)]
    take_all(server)
    station.sync()
    assert server.record(Target, target.id).name == "By the server"


def test_an_edit_of_the_field_of_an_offer_does_not_wait_for_it(server, known):
    station, user, target, backup = known
    with server.database.transaction() as session:
        session.get_one(Target, target.id).name = "By the server"
    station.sync()
    backup.restore()
    station.sync()
    station.edit(Target, target.id, user.id, name="Edited after")
    station.sync()
    assert (server.record(Target, target.id).name, station.record(Target, target.id).name) == ("Edited after",) * 2


def test_an_offer_ends_with_an_edit_of_its_field(server, known):
    station, user, target, backup = known
    with server.database.transaction() as session:
        session.get_one(Target, target.id).name = "By the server"
    station.sync()
    backup.restore()
    station.sync()
    station.edit(Target, target.id, user.id, name="Edited after")
    for _ in range(2):
        station.sync()
    assert [entry.entity for entry in station.outbox() if entry.entity == "target"] == []
    assert (server.record(Target, target.id).name, station.record(Target, target.id).name) == ("Edited after",) * 2


def test_two_stations_that_offer_the_same_leave_nothing_waiting(server, make_station, tmp_path):
    one, two = make_station("one"), make_station("two")
    prepared(server, one, two)
    backup = Backup(server, tmp_path / "backup")
    target = new_target(server, one)
    two.sync()
    backup.restore()
    one.sync()
    two.sync()
    take_all(server)
    for station in (one, two, one, two):
        station.sync()
    assert (one.outbox(), two.outbox()) == ([], [])
    assert server.record(Target, target.id).name == target.name


def test_a_station_without_a_user_cannot_change_what_was_taken(server, known):
    station, _, _, backup = known
    target = new_target(server, station)
    backup.restore()
    station.sync()
    take_all(server)
    station.sync()
    assert server.record(Target, target.id) is not None
    station.edit(Target, target.id, None, name="Forged")
    report = station.sync()
    assert (report.dead, server.record(Target, target.id).name) == (1, target.name)


def test_an_older_edit_of_a_station_keeps_its_user_through_a_snapshot(server, known):
    station, user, target, backup = known
    station.edit(Target, target.id, user.id, name="Edited here")
    station.sync()
    # A newer change of another field gives the record a newer stamp than the edit has.
    with server.database.transaction() as session:
        session.get_one(Target, target.id).description = "Of the server"
    forget_cursor(station.database)
    assert station.sync().full_resync
    backup.restore()
    station.sync()
    station.sync()
    assert server.record(Target, target.id).name == "Edited here"
    assert [entity for entity, _ in offered(server)] == ["target"]
