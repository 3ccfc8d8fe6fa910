"""What the state machine may find, told step by step: short, the same at each run, and each able to find a bug."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.audit import verify_audit
from models.sessions import InspectionSession
from models.states import SessionStatus
from models.targets import Target
from sync.station.pulling import forget_cursor
from tests.support.proofs.plant import Plant

pytestmark = pytest.mark.slow


@pytest.fixture
def plant() -> Iterator[Plant]:
    """Two stations and a server, all at rest; they come to rest again, with every invariant, at the end."""
    made = Plant()
    made.open(count=2, seed=1)
    yield made
    made.teardown()


def test_an_edit_behind_the_snapshots_back_comes_with_the_pull(plant):
    station = plant.stations[0]
    forget_cursor(station.database)
    station.link.busy_snapshots = True
    station.quiet_pass()
    there = plant.server.record(Target, plant.target.id).description
    assert station.record(Target, plant.target.id).description == there


def test_an_edit_after_the_servers_clock_went_back_comes_to_a_station(plant):
    station = plant.stations[0]
    plant.edit_on_server(station, 0)
    station.quiet_pass()
    plant.clock_of_server_jumps(station, -2)
    plant.edit_on_server(station, 1)
    station.quiet_pass()
    assert station.record(Target, plant.target.id).description == "server 1"


@pytest.mark.parametrize("commit", ["claim", "changes"])
def test_a_part_comes_although_the_server_ends_as_it_commits(plant, commit):
    station = plant.stations[0]
    station.attempt(lambda: station.inspect_part(plant.target.id, plant.user.id))
    plant.ledger.look_at(station)
    station.link.faults = ["", "server-killed"] if commit == "changes" else ["server-killed"]
    station.attempt(station.sync)
    plant.come_to_rest(station, 0)


@pytest.mark.parametrize("commit", range(4))
def test_a_part_of_a_station_that_ends_at_a_commit_is_sent_or_not_there(plant, commit):
    station = plant.stations[0]
    station.attempt(lambda: station.inspect_part(plant.target.id, plant.user.id), kill_at=commit)
    plant.ledger.look_at(station)
    plant.come_to_rest(station, 0)


def test_an_edit_here_is_shown_while_an_offer_of_its_field_waits(plant):
    station = plant.stations[0]
    plant.back_up_server(station, 0)
    plant.edit_on_server(station, 0)
    station.quiet_pass()
    plant.restore_server(station, 1)
    station.quiet_pass()
    station.edit(Target, plant.target.id, plant.user.id, name="edited after")
    station.quiet_pass()
    plant.ledger.look_at(station)
    assert station.record(Target, plant.target.id).name == "edited after"


def test_images_that_the_server_loses_come_again(plant):
    station = plant.stations[0]
    station.attempt(lambda: station.inspect_part(plant.target.id, plant.user.id))
    plant.come_to_rest(station, 0)
    sha256, data = next(iter(plant.ledger.blobs.items()))
    plant.server_loses_images(station, 0)
    assert not plant.server.objects.exists(sha256)
    plant.come_to_rest(station, 0)
    assert plant.server.objects.read(sha256) == data


@pytest.mark.parametrize("marked", [0, 1], ids=["copied back", "restored"])
def test_the_status_of_a_part_that_a_restored_server_lost_comes_again(plant, marked):
    station = plant.stations[0]
    part = station.attempt(lambda: station.inspect_part(plant.target.id, plant.user.id))
    plant.come_to_rest(station, 0)
    plant.back_up_server(station, 0)
    station.attempt(lambda: station.review_part(part, plant.user.id))
    plant.come_to_rest(station, 0)
    plant.restore_server(station, marked)
    plant.come_to_rest(station, 0)
    assert plant.server.record(InspectionSession, part).status is SessionStatus.HUMAN_REVIEW
    assert station.record(InspectionSession, part).status is SessionStatus.HUMAN_REVIEW


def test_the_lost_status_of_a_part_that_the_server_has_changed_since_comes_again(plant):
    station = plant.stations[0]
    part = station.attempt(lambda: station.inspect_part(plant.target.id, plant.user.id))
    plant.come_to_rest(station, 0)
    plant.back_up_server(station, 0)
    station.attempt(lambda: station.review_part(part, plant.user.id))
    plant.come_to_rest(station, 0)
    plant.restore_server(station, 1)
    plant.clock_of_server_jumps(station, 1)
    with plant.server.acting(), plant.server.database.transaction() as session:
        session.get_one(InspectionSession, part).lot = "L2"
    plant.come_to_rest(station, 0)
    for place in (plant.server, station):
        found = place.record(InspectionSession, part)
        assert (found.status, found.lot) == (SessionStatus.HUMAN_REVIEW, "L2")


def test_a_later_edit_stands_although_the_servers_clock_went_back_at_a_restart(plant):
    station = plant.stations[0]
    station.edit(Target, plant.target.id, plant.user.id, name="first")
    station.link.faults = ["", "lost"]
    station.attempt(station.sync)
    plant.clock_of_server_jumps(station, -5)
    plant.server.reopen()
    station.edit(Target, plant.target.id, plant.user.id, name="second")
    station.quiet_pass()
    assert plant.server.record(Target, plant.target.id).name == "second"


def test_an_audit_entry_that_two_copies_send_has_the_servers_place_in_both(plant):
    station = plant.stations[0]
    plant.start_a_disk_image_elsewhere(station, 1)
    station.attempt(station.sync)
    plant.start_a_disk_image_elsewhere(station, 1)
    plant.start_a_disk_image_elsewhere(station, 1)
    plant.come_to_rest(station, 0)
    for place in (plant.server, station):
        with place.database.read() as session:
            assert [problem for problem in verify_audit(session) if problem.device_id == station.device_id] == []


def test_a_claim_of_the_part_of_another_station_is_refused(plant):
    victim = plant.stations[0]
    part = victim.attempt(lambda: victim.inspect_part(plant.target.id, plant.user.id))
    plant.parts[victim.name].append(part)
    plant.come_to_rest(victim, 0)
    plant.claim_the_part_of_another(victim, 0)
    assert plant.claims == 1
