"""Releases of models at a station: which are meant for it, which it inspects with, what stations may not write."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from models.audit import AuditEntry
from models.clock import utc_now
from models.ids import new_id
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.states import ReleaseState
from server.releases.repository import station_reports
from sync.shared.item_records import ItemRecords, active_release
from sync.shared.releases import stage_statement
from sync.station.dead_letters import list_dead_letters
from sync.station.releases import STAGE_WRONG, note_check, unchecked_releases
from sync.station.state import RELEASE_KEY, set_value
from tests.support.sync_stores import Station, model_file, prepared

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def released(server, make_station):
    """Two stations, an item that names a model, and a release of another one for the first station."""
    one, two = make_station("one"), make_station("two")
    user, _, item = prepared(server, one, two)
    old, new = model_file(b"old", item.id), model_file(b"new", item.id)
    server.objects.put(new.sha256, b"new")
    server.add(old, new)
    release = ModelRelease(
        name="second",
        item_id=item.id,
        model_id=new.id,
        replaces_id=old.id,
        sha256=new.sha256,
        size_bytes=3,
        state=ReleaseState.STAGED,
        stations=[one.device_id],
        released_at=utc_now(),
        signature="signed",
    )
    release.stage_signature = stage_signature(release)
    server.add(release)
    for station in (one, two):
        with station.database.transaction() as session:
            set_value(session, RELEASE_KEY, base64.b64encode(KEY.public_key().public_bytes_raw()).decode())
    return one, two, user, release


def stage_signature(release: ModelRelease) -> str:
    return base64.b64encode(KEY.sign(stage_statement(release))).decode()


def move(server, release: ModelRelease, **values) -> None:
    with server.database.transaction() as session:
        record = session.get_one(ModelRelease, release.id)
        for name, value in {"released_at": utc_now(), **values}.items():
            setattr(record, name, value)
        record.stage_signature = stage_signature(record)


def widen(server, release: ModelRelease, **values) -> None:
    """Change a release as somebody does who has the server's database without its key."""
    with server.database.transaction() as session:
        record = session.get_one(ModelRelease, release.id)
        for name, value in values.items():
            setattr(record, name, value)


def waiting(station: Station) -> list[str]:
    with station.database.read() as session:
        return [release.id for release in unchecked_releases(session, station.device_id)]


def active(station: Station, item_id: str) -> str | None:
    with station.database.read() as session:
        found = active_release(session, station.device_id, item_id)
        return found.id if found is not None else None


def check(station: Station, release: ModelRelease, code: str = "") -> None:
    record = station.record(ModelRelease, release.id)
    note_check(station.database, record, device_id=station.device_id, code=code)


def test_only_the_stations_of_the_first_stage_take_a_staged_release(released):
    one, two, _, release = released
    one.sync()
    two.sync()
    assert (waiting(one), waiting(two)) == ([release.id], [])
    assert one.blobs.exists(release.sha256)
    assert not two.blobs.exists(release.sha256)


def test_every_station_takes_a_release_for_all(server, released):
    one, two, _, release = released
    move(server, release, state=ReleaseState.RELEASED)
    for station in (one, two):
        station.sync()
        assert waiting(station) == [release.id]
        assert station.blobs.exists(release.sha256)


@pytest.mark.parametrize("state", [ReleaseState.DRAFT, ReleaseState.ROLLED_BACK])
def test_no_station_takes_a_draft_or_what_was_taken_back(server, released, state):
    one, _, _, release = released
    move(server, release, state=state)
    one.sync()
    assert waiting(one) == []
    assert not one.blobs.exists(release.sha256)


def test_a_station_inspects_with_a_release_only_once_it_has_checked_it(released):
    one, _, _, release = released
    one.sync()
    assert active(one, release.item_id) is None
    check(one, release)
    assert active(one, release.item_id) == release.id
    assert waiting(one) == []
    with one.database.read() as session:
        replaced = ItemRecords(session, one.device_id).replaced_models(release.item_id)
    assert replaced == {release.replaces_id: release.model_id}


@pytest.mark.parametrize(
    "values", [{"state": ReleaseState.RELEASED}, {"stations": ["other"]}, {"released_at": utc_now() + timedelta(1)}]
)
def test_a_stage_that_the_server_has_not_signed_is_not_inspected_with(server, released, values):
    one, _, _, release = released
    one.sync()
    check(one, release)
    widen(server, release, **values)
    one.sync()
    assert active(one, release.item_id) is None


def test_a_widened_stage_reaches_no_other_station(server, released):
    _, two, _, release = released
    widen(server, release, state=ReleaseState.RELEASED)
    two.sync()
    check(two, release)
    assert active(two, release.item_id) is None


def test_a_stage_that_is_signed_later_is_checked_again(server, released):
    _, two, _, release = released
    widen(server, release, state=ReleaseState.RELEASED)
    two.sync()
    check(two, release, STAGE_WRONG)
    assert waiting(two) == []
    move(server, release, state=ReleaseState.RELEASED)
    two.sync()
    assert waiting(two) == [release.id]


def test_the_next_stage_leaves_a_checked_release_in_use(server, released):
    one, _, _, release = released
    one.sync()
    check(one, release)
    move(server, release, state=ReleaseState.RELEASED)
    one.sync()
    assert (active(one, release.item_id), waiting(one)) == (release.id, [])


def test_a_refused_release_leaves_the_one_before_in_use(server, released):
    one, _, _, first = released
    one.sync()
    check(one, first)
    third = ModelFile(name="third", model_kind="anomaly", sha256="3" * 64, size_bytes=5, item_id=first.item_id)
    server.add(third)
    second = ModelRelease(
        name="third",
        item_id=first.item_id,
        model_id=third.id,
        replaces_id=first.replaces_id,
        sha256=third.sha256,
        size_bytes=5,
        state=ReleaseState.RELEASED,
        released_at=utc_now() + timedelta(hours=1),
        signature="also signed",
    )
    second.stage_signature = stage_signature(second)
    server.add(second)
    one.sync()
    check(one, second, "release-scores-differ")
    assert active(one, first.item_id) == first.id


def test_a_release_that_is_taken_back_gives_way_to_the_one_before(server, released):
    one, _, _, release = released
    one.sync()
    check(one, release)
    move(server, release, state=ReleaseState.ROLLED_BACK)
    one.sync()
    assert active(one, release.item_id) is None
    with one.database.read() as session:
        assert ItemRecords(session, one.device_id).replaced_models(release.item_id) == {}


def test_a_release_that_is_signed_anew_is_checked_anew(server, released):
    one, _, _, release = released
    one.sync()
    check(one, release)
    move(server, release, signature="signed anew")
    one.sync()
    assert waiting(one) == [release.id]
    assert active(one, release.item_id) is None


@pytest.mark.parametrize("code", ["", "release-scores-differ"])
def test_the_server_learns_what_a_station_found(server, released, code):
    one, _, _, release = released
    one.sync()
    check(one, release, code)
    one.sync()
    with server.database.read() as session:
        (report,) = station_reports(session, release.id)
    assert (report["device_id"], report["verified"], report["code"]) == (one.device_id, not code, code)


def test_the_newest_report_of_a_station_counts(server, released):
    one, _, _, release = released
    one.sync()
    check(one, release, "release-digest-differs")
    check(one, release)
    one.sync()
    with server.database.read() as session:
        (report,) = station_reports(session, release.id)
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.subject_id == release.id)).all()) == 2
    assert report["verified"]


def test_a_station_cannot_write_a_release(server, released):
    one, _, user, release = released
    one.sync()
    one.edit(ModelRelease, release.id, user.id, state=ReleaseState.RELEASED)
    assert one.sync().dead == 1
    with one.database.read() as session:
        assert list_dead_letters(session)[0].code == "sync-server-only"
    assert server.record(ModelRelease, release.id).state is ReleaseState.STAGED


def test_a_release_of_another_item_has_no_effect(released):
    one, _, _, release = released
    one.sync()
    check(one, release)
    assert active(one, new_id()) is None
