"""Codes that only one record may have, made on several stations."""

from __future__ import annotations

from models.clock import utc_now
from models.names import set_apart
from models.targets import Target
from sync.station.dead_letters import list_dead_letters
from sync.station.resending import resend
from tests.support.sync_stores import contents, prepared


def test_two_stations_that_make_the_same_code_can_resolve_the_refusal(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, _ = prepared(server, one, two)
    first, second = Target(code="SAME", name="first"), Target(code="SAME", name="second")
    one.add(user.id, first)
    two.add(user.id, second)
    assert one.sync().dead == 0
    assert two.sync().dead == 1
    with two.database.read() as session:
        letter = list_dead_letters(session)[0]
    assert letter.code == "sync-not-unique"
    assert two.record(Target, first.id).code == "SAME"
    assert two.record(Target, second.id).code != "SAME", "the server's record has the code here too"
    resend(two.database, letter.change_id, {"code": "OTHER"}, actor="q", device_id=two.device_id)
    assert two.sync().dead == 0
    one.sync()
    assert {place.record(Target, second.id).code for place in (one, two, server)} == {"OTHER"}


def test_a_master_deleted_by_a_mark_frees_its_code(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    one.edit(Target, target.id, user.id, deleted_at=utc_now())
    one.add(user.id, Target(code=target.code, name="successor"))
    assert one.sync().dead == 0
    two.sync()
    assert two.record(Target, target.id).deleted_at is not None
    assert contents(two.database) == contents(one.database)


def test_codes_that_differ_in_case_alone_come_to_a_station_as_the_server_has_them(server, make_station):
    station = make_station()
    prepared(server, station)
    older, newer = Target(code="P-1", name="older"), Target(code="p-1", name="newer")
    newer.name_key = set_apart("p-1", newer.id)
    server.add(newer)
    station.sync()
    server.add(older)
    station.sync()
    assert [station.record(Target, one.id).code for one in (older, newer)] == ["P-1", "p-1"]
    assert [station.record(Target, one.id).name_key for one in (older, newer)] == ["p-1", f"p-1~{newer.id}"]


def test_a_code_of_full_width_comes_back_to_its_station_in_the_servers_form(server, make_station):
    station = make_station()
    user, _, _ = prepared(server, station)
    made = Target(code="Ｐ-１", name="wide")
    station.add(user.id, made)
    assert station.sync().dead == 0
    station.sync()
    assert {place.record(Target, made.id).code for place in (station, server)} == {"P-1"}


def test_a_code_that_another_station_has_in_another_case_is_refused(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, _ = prepared(server, one, two)
    one.add(user.id, Target(code="SAME", name="first"))
    two.add(user.id, Target(code="same", name="second"))
    assert (one.sync().dead, two.sync().dead) == (0, 1)
    with two.database.read() as session:
        assert list_dead_letters(session)[0].code == "code-taken"
