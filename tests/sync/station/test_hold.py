"""What waits by choice stays here; what may go goes."""

from __future__ import annotations

import pytest

from models.errors import Conflict
from models.states import HumanVerdict
from sync.station.hold import Hold, MeteredLink, is_metered
from sync.station.sending import SMALL_BYTES, PieceSize
from tests.support.sync_stores import prepared


def test_verdicts_go_while_images_wait(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.verify_part(station.inspect_part(target.id), HumanVerdict.OK)
    station.engine.held = lambda: Hold.IMAGES
    report = station.sync()
    assert (report.pushed, report.blobs_sent) == (5, 0)
    assert station.engine.status().held is Hold.IMAGES
    station.engine.held = lambda: Hold.NOTHING
    assert station.sync().blobs_sent == 1


def test_nothing_goes_while_everything_waits(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id)
    station.engine.held = lambda: Hold.EVERYTHING
    with pytest.raises(Conflict) as refused:
        station.sync()
    assert refused.value.code == "sync-on-hold"
    assert len(station.outbox()) == 3


def test_an_image_that_is_under_way_stops_when_images_are_to_wait(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.engine._pieces = PieceSize(64 * 1024)
    station.inspect_part(target.id, image=b"L" * (SMALL_BYTES + 1))
    piece, offsets = station.link.send_chunk, []

    def held_after_the_first(sha256, offset, data, total):
        offsets.append(offset)
        station.engine.held = lambda: Hold.IMAGES
        return piece(sha256, offset, data, total)

    station.link.send_chunk = held_after_the_first
    assert station.sync().blobs_sent == 0
    station.engine.held = lambda: Hold.NOTHING
    station.link.send_chunk = piece
    assert station.sync().blobs_sent == 1
    assert offsets == [0]


def test_images_wait_while_the_link_is_paid_by_volume(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.verify_part(station.inspect_part(target.id), HumanVerdict.OK)
    station.engine.metered = lambda: True
    report = station.sync()
    assert (report.pushed, report.blobs_sent, station.engine.status().metered) == (5, 0, True)
    station.engine.metered = lambda: False
    assert (station.sync().blobs_sent, station.engine.status().metered) == (1, False)


def test_nobody_is_asked_of_the_link_while_no_file_is_to_be_moved(server, make_station):
    station = make_station()
    asked = []
    station.engine.metered = lambda: asked.append(1)
    _, target, _ = prepared(server, station)
    assert asked == []
    station.inspect_part(target.id)
    assert station.sync().blobs_sent == 1
    assert asked


@pytest.mark.parametrize("system", [True, False, None])
def test_the_setting_overrules_what_the_system_says_of_the_link(system):
    assert is_metered(MeteredLink.AUTO, lambda: system) is system
    assert is_metered(MeteredLink.ALWAYS, lambda: system) is True
    assert is_metered(MeteredLink.NEVER, lambda: system) is False
