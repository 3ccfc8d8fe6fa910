"""Blobs go to the server: what is small and new first, many at once, and on after a cut connection."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.errors import Unavailable
from models.states import HumanVerdict
from models.storage import sha256_of
from models.sync import Blob
from models.verification import HumanVerification
from sync.station.progress import Amount, PassMeter
from sync.station.sending import SMALL_BYTES, PieceSize
from tests.support.sync_stores import prepared


def sent_in_order(station):
    """Return the digests as the server gets them, request by request, of small ones and pieces alike."""
    requests: list[list[str]] = []
    many, piece = station.link.send_blobs, station.link.send_chunk

    def send_blobs(blobs):
        requests.append([blob.request.sha256 for blob in blobs])
        return many(blobs)

    def send_chunk(sha256, offset, data, total):
        requests.append([sha256])
        return piece(sha256, offset, data, total)

    station.link.send_blobs, station.link.send_chunk = send_blobs, send_chunk
    return requests


def test_small_blobs_go_in_one_request(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    for number in range(30):
        station.inspect_part(target.id, image=b"picture %d" % number)
    requests = sent_in_order(station)
    assert station.sync().blobs_sent == 30
    assert [len(request) for request in requests] == [30]
    assert all(server.objects.exists(sha256_of(b"picture %d" % number)) for number in range(30))


def test_the_newest_small_blob_goes_before_any_large_one(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    images = [b"L" * (SMALL_BYTES + 1), b"old", b"new"]
    for age, image in enumerate(images):
        station.inspect_part(target.id, image=image)
        with station.database.transaction() as session:
            blob = session.get_one(Blob, sha256_of(image))
            blob.created_at = blob.created_at.replace(year=2020 + age)
    requests = sent_in_order(station)
    station.sync()
    assert requests == [[sha256_of(b"new"), sha256_of(b"old")], [sha256_of(images[0])]]


def test_a_server_that_knows_no_body_of_blobs_gets_them_one_by_one(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    for image in (b"one", b"two"):
        station.inspect_part(target.id, image=image)

    def unknown(_blobs):
        raise Unavailable("server-failing", members={"code": "media-type-unsupported"}, status=415, detail="")

    station.link.send_blobs = unknown
    assert station.sync().blobs_sent == 2
    assert server.objects.exists(sha256_of(b"one"))


def test_a_verdict_of_meanwhile_goes_before_the_rest_of_a_large_image(server, make_station):
    station = make_station()
    station.engine._pieces = PieceSize(64 * 1024)
    _, target, _ = prepared(server, station)
    image = b"L" * (SMALL_BYTES * 2)
    part = station.inspect_part(target.id, image=image)
    order: list[str] = []
    push, piece = station.link.push, station.link.send_chunk

    def noted_push(batch):
        order.append("verdicts")
        return push(batch)

    def noted_piece(sha256, offset, data, total):
        order.append("piece")
        if not offset:
            station.verify_part(part, HumanVerdict.NG)
            station.engine.request()
        return piece(sha256, offset, data, total)

    station.link.push, station.link.send_chunk = noted_push, noted_piece
    station.sync()
    assert order[:3] == ["verdicts", "piece", "verdicts"]
    assert order.count("piece") > 2
    with server.database.read() as session:
        assert session.scalars(select(HumanVerification.verdict)).one() is HumanVerdict.NG


def test_an_upload_goes_on_in_the_same_pass_after_each_cut(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    image = bytes(range(256)) * 8192
    station.engine._pieces = PieceSize(512 * 1024)
    station.inspect_part(target.id, image=image)
    piece, offsets = station.link.send_chunk, []

    def cut_every_second(sha256, offset, data, total):
        offsets.append(offset)
        if len(offsets) % 2 == 0:
            raise Unavailable("server-unreachable", server="test:")
        return piece(sha256, offset, data, total)

    station.link.send_chunk = cut_every_second
    assert station.sync().blobs_sent == 1
    assert offsets == sorted(offsets)
    assert server.objects.read(sha256_of(image)) == image


def test_the_next_pass_goes_on_where_the_link_was_lost(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.engine._pieces = PieceSize(64 * 1024)
    station.inspect_part(target.id, image=b"L" * (SMALL_BYTES + 1))
    piece, offsets = station.link.send_chunk, []

    def lost_after_one(sha256, offset, data, total):
        offsets.append(offset)
        if 1 < len(offsets) <= 3:
            raise Unavailable("server-unreachable", server="test:")
        return piece(sha256, offset, data, total)

    station.link.send_chunk = lost_after_one
    with pytest.raises(Unavailable):
        station.sync()
    assert offsets == [0, 64 * 1024, 64 * 1024]
    assert station.sync().blobs_sent == 1
    assert offsets[3] == 64 * 1024


def test_a_link_over_which_nothing_comes_ends_the_pass(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id, image=b"L" * (SMALL_BYTES + 1))
    calls: list[int] = []

    def dead(sha256, offset, data, total):
        calls.append(len(data))
        raise Unavailable("server-unreachable", server="test:")

    station.link.send_chunk = dead
    for _ in range(2):
        with pytest.raises(Unavailable):
            station.sync()
    assert len(calls) == 4
    assert calls == sorted(calls, reverse=True)


def test_requests_become_smaller_with_each_cut_to_a_least_size():
    pieces = PieceSize(100_000)
    sizes = []
    while pieces.halve():
        sizes.append(pieces.now)
    assert sizes == [50_000, 25_000, 12_500]
    pieces.grow()
    assert pieces.now == 25_000


def test_progress_tells_the_time_that_is_left_of_a_stage():
    now = [0.0]
    meter = PassMeter({"push": Amount(100), "upload": Amount(4, 4_000_000)}, lambda: now[0])
    now[0] = 2.0
    assert meter.add("push", 50).seconds_left == 2.0
    now[0] = 4.0
    assert meter.add("push", 50).seconds_left == 0.0
    now[0] = 5.0
    step = meter.add("upload", 1, 1_000_000)
    assert (step.done, step.total, step.done_bytes, step.total_bytes) == (1, 4, 1_000_000, 4_000_000)
    assert step.seconds_left == 3.0
    assert meter.add("pull", 3).seconds_left is None


def test_what_comes_while_a_pass_runs_is_added_to_the_total():
    meter = PassMeter({"push": Amount(1)}, lambda: 0.0)
    meter.add("push", 1)
    assert (meter.add("push", 2).done, meter.add("push", 1).total) == (3, 4)
