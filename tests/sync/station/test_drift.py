"""The daily check finds differences that nothing else tells of, and has them repaired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from models.audit import AuditEntry
from models.clock import rfc3339, utc_now
from models.sessions import AIResult, ImageRecord
from models.storage import sha256_of
from models.sync import Blob, OutboxEntry
from models.targets import Target
from sync.shared.drift import day_digests
from sync.station.comparing import begin_comparison
from sync.station.dead_letters import list_dead_letters
from sync.station.dropping import drop
from sync.station.state import DRIFT_CHECKED_AT, get_value, set_value
from sync.station.status import stored_status
from tests.support.object_files import object_file
from tests.support.sync_stores import ServerStore, Station, contents, prepared

pytestmark = pytest.mark.slow
STAYS_ON_ITS_SIDE = frozenset({"audit_entry"})


@pytest.fixture
def agreed(server: ServerStore, make_station: Callable[[], Station]) -> Station:
    """A station and a server that hold the same."""
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id, image=b"pixels")
    station.sync()
    return station


def checked_ago(station: Station, age: timedelta) -> None:
    with station.database.transaction() as session:
        set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now() - age))


def lose(server: ServerStore, kind: type) -> None:
    """Take records away beneath the server, as a damaged disk or a hand in the database does."""
    with server.database.engine.begin() as connection:
        connection.execute(delete(kind.__table__))


def same(server: ServerStore, station: Station) -> bool:
    sides = [contents(store.database, without=STAYS_ON_ITS_SIDE) for store in (server, station)]
    return sides[0] == sides[1]


def test_a_fact_that_vanished_from_the_server_is_sent_again(server, agreed):
    lose(server, AIResult)
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert same(server, agreed)


def test_a_fact_that_vanished_from_the_station_comes_back(server, agreed):
    with agreed.database.engine.begin() as connection:
        connection.execute(delete(AIResult.__table__))
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert same(server, agreed)


def test_a_master_that_was_changed_beneath_the_station_comes_right(server, agreed):
    with agreed.database.engine.begin() as connection:
        connection.execute(Target.__table__.update().values(name="Changed by hand"))
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert same(server, agreed)


def test_an_emptied_object_store_gets_its_images_again(server, agreed):
    with agreed.database.read() as session:
        sha256 = session.scalars(select(Blob.sha256)).one()
    server.objects.delete(sha256)
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert server.objects.read(sha256) == b"pixels"


@pytest.fixture
def image(server, agreed, tmp_path):
    """The file of the one image that the server holds."""
    sha256 = sha256_of(b"pixels")
    return object_file(tmp_path / "server" / "objects", sha256)


def test_an_image_that_was_cut_short_on_the_server_is_sent_again(agreed, image):
    image.write_bytes(b"pix")
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert image.read_bytes() == b"pixels"


def test_an_image_cut_short_on_the_server_comes_again_on_request(agreed, image):
    image.write_bytes(b"pix")
    with agreed.database.transaction() as session:
        begin_comparison(session)
    agreed.sync()
    assert image.read_bytes() == b"pixels"


def test_a_replaced_damaged_image_is_kept_beside(agreed, image):
    image.write_bytes(b"pix")
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    (kept,) = (image.parents[1] / "damaged").iterdir()
    assert kept.read_bytes() == b"pix"


def test_an_image_whose_bytes_changed_is_sent_again_once_it_is_set_aside(server, agreed, image):
    image.write_bytes(b"PIXELS")
    assert server.objects.set_aside(image.name)
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert image.read_bytes() == b"pixels"


def test_a_difference_is_shown(server, agreed):
    lose(server, AIResult)
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    found = stored_status(agreed.database).store.drift
    assert (found.count, found.places[0].split()[0]) == (1, "ai_result")


def test_a_difference_is_in_the_audit_trail(server, agreed):
    lose(server, AIResult)
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    with agreed.database.read() as session:
        assert (
            session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.drift_found")).one().detail["count"]
            == 1
        )


def test_sides_that_agree_show_no_difference(agreed):
    checked_ago(agreed, timedelta(days=2))
    report = agreed.sync()
    assert (report.sent_again, stored_status(agreed.database).store.drift) == (0, None)


def test_a_part_on_its_way_is_no_difference(server, agreed):
    refused = Target(code="REFUSED", name="of nobody")
    agreed.add(None, refused)
    agreed.inspect_part(refused.id)
    agreed.sync()
    assert len(agreed.outbox()) == 4
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert stored_status(agreed.database).store.drift is None


@pytest.mark.parametrize("age", [timedelta(hours=23), timedelta(minutes=1)])
def test_the_check_is_made_once_a_day(server, agreed, age):
    lose(server, AIResult)
    checked_ago(agreed, age)
    agreed.sync()
    assert stored_status(agreed.database).store.drift is None


def test_a_clock_that_went_back_does_not_put_the_check_off(server, agreed):
    lose(server, AIResult)
    checked_ago(agreed, timedelta(days=-400))
    agreed.sync()
    assert stored_status(agreed.database).store.drift is not None


def test_a_check_is_noted(agreed):
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    with agreed.database.read() as session:
        assert get_value(session, DRIFT_CHECKED_AT) > rfc3339(utc_now() - timedelta(minutes=5))


def test_a_digest_does_not_depend_on_the_order():
    records = [(utc_now(), f"record {number}") for number in range(5)]
    assert day_digests("image", records) == day_digests("image", records[::-1])


def test_a_digest_tells_two_records_of_one_day_apart():
    now = utc_now()
    assert day_digests("image", [(now, "a")])[0].digest != day_digests("image", [(now, "b")])[0].digest


def test_another_stations_parts_are_no_difference(server, make_station, agreed):
    other = make_station("two")
    other.sync()
    with other.database.read() as session:
        target_id = session.scalars(select(Target.id)).one()
    other.inspect_part(target_id)
    other.sync()
    checked_ago(agreed, timedelta(days=2))
    agreed.sync()
    assert stored_status(agreed.database).store.drift is None
    with agreed.database.read() as session:
        assert len(session.scalars(select(ImageRecord)).all()) == 1


def test_a_fact_that_was_given_up_is_no_difference(server, agreed):
    with agreed.database.read() as session:
        target = session.scalars(select(Target)).one()
    agreed.inspect_part(target.id)
    with agreed.database.transaction() as session:
        change = session.scalars(select(OutboxEntry).where(OutboxEntry.entity == AIResult.entity)).one()
        change.fields = {**change.fields, "detections": [1]}
    give_up(agreed)
    checked_ago(agreed, timedelta(days=2))
    assert (agreed.sync().sent_again, stored_status(agreed.database).store.drift) == (0, None)


def test_a_master_that_was_given_up_is_no_difference(server, agreed):
    with agreed.database.transaction() as session:
        session.add(Target(code="NOBODYS", name="Made by nobody who may"))
    give_up(agreed)
    checked_ago(agreed, timedelta(days=2))
    assert (agreed.sync().sent_again, stored_status(agreed.database).store.drift) == (0, None)


def test_what_was_given_up_is_not_sent_to_a_server_that_went_back(server, agreed):
    with agreed.database.transaction() as session:
        session.add(Target(code="NOBODYS", name="Made by nobody who may"))
    give_up(agreed)
    with agreed.database.transaction() as session:
        begin_comparison(session)
    assert (agreed.sync().sent_again, agreed.outbox()) == (0, [])


def give_up(station: Station) -> None:
    """Send what waits, and drop the one change that is refused."""
    station.sync()
    with station.database.read() as session:
        letter = list_dead_letters(session)[0]
    drop(station.database, letter.change_id, actor="person", device_id=station.device_id, reason="a mistake")
    station.sync()
