"""The engine by itself: when it waits, how it ends, what it reports."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import parse_rfc3339, utc_now
from models.errors import NotSignedIn, Unavailable
from sync.station.engine import SyncProgress, stored_status
from sync.station.state import DUE_AT, get_value
from sync.station.timing import backoff_s
from tests.support.real_server import wait_for
from tests.support.sync_stores import prepared


@given(st.integers(1, 1000), st.floats(0, 1))
def test_the_wait_after_failures_grows_to_a_cap(failures, chance):
    wait = backoff_s(failures, lambda: chance)
    assert 0.5 <= wait <= 60
    assert wait <= backoff_s(failures + 1, lambda: 1.0)


def test_stations_that_lost_the_server_together_do_not_come_back_together():
    assert len({round(backoff_s(8), 6) for _ in range(20)}) > 15


def test_the_thread_ends_when_it_is_reported_even_in_the_middle_of_a_pass(server, make_station):
    station = make_station()
    prepared(server, station)
    entered, go_on = threading.Event(), threading.Event()
    pull = station.link.pull

    def slow(*asked):
        entered.set()
        assert go_on.wait(20)
        return pull(*asked)

    station.link.pull = slow
    station.engine.start()
    station.engine.start()
    assert entered.wait(20)
    assert not station.engine.stop(timeout_s=0.01), "the request it waits for is not done yet"
    go_on.set()
    assert station.engine.stop()
    assert not station.engine.status().running
    assert not any(thread.name == "sync-engine" for thread in threading.enumerate())


@pytest.mark.parametrize(("told", "shortest_s", "longest_s"), [(True, 269, 301), (False, 26, 34)])
def test_a_running_engine_says_when_its_next_pass_is_due(
    server, make_station, monkeypatch, told, shortest_s, longest_s
):
    now = utc_now()
    monkeypatch.setattr("sync.station.engine.utc_now", lambda: now)
    station = make_station()
    prepared(server, station)
    station.engine.told = lambda: told
    station.engine.start()
    wait_for(lambda: due(station) is not None)
    assert shortest_s < (due(station) - now).total_seconds() < longest_s
    station.engine.stop()
    assert due(station) is None


def test_a_pass_asked_for_from_outside_waits_for_the_one_that_is_on(server, make_station):
    station = make_station()
    prepared(server, station)
    running = threading.Semaphore(1)
    pull = station.link.pull
    overlaps: list[bool] = []

    def watched(*asked):
        overlaps.append(not running.acquire(blocking=False))
        answer = pull(*asked)
        running.release()
        return answer

    station.link.pull = watched
    threads = [threading.Thread(target=station.sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [False] * 4


def test_the_status_has_what_waits_after_a_pass_failed(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    before = station.engine.status()
    assert (before.online, before.waiting, before.last_error) == (True, 0, None)
    assert before.last_success is not None
    station.inspect_part(target.id)
    station.link.faults = ["lost"]
    with pytest.raises(Unavailable):
        station.sync()
    status = station.engine.status()
    assert (status.online, status.waiting, status.blobs_waiting) == (False, 3, 1)
    assert status.last_error.code == "server-unreachable"
    assert not status.running
    assert {entry.last_error for entry in station.outbox()} == {"server-unreachable"}
    station.sync()
    assert station.engine.status().online


def test_failures_in_a_row_keep_the_time_of_the_first_until_a_pass_succeeds(server, make_station):
    station = make_station()
    prepared(server, station)
    assert station.engine.status().failing_since is None
    times = []
    for _ in range(2):
        station.link.faults = ["lost"]
        with pytest.raises(Unavailable):
            station.sync()
        times.append(station.engine.status().failing_since)
    assert times[0] is not None
    assert times[0] == times[1]
    station.sync()
    assert station.engine.status().failing_since is None


def test_the_store_keeps_why_passes_fail_until_one_succeeds(server, make_station):
    station = make_station()
    prepared(server, station)
    assert stored_status(station.database).last_failure is None
    kept = []
    for _ in range(2):
        station.link.faults = ["lost"]
        with pytest.raises(Unavailable):
            station.sync()
        kept.append(stored_status(station.database).last_failure)
    assert kept[0].code == "server-unreachable"
    assert kept[0].text("ja") == station.engine.status().last_error.text("ja")
    assert kept[0] == kept[1]
    station.sync()
    assert stored_status(station.database).last_failure is None


def test_a_refused_credential_is_an_error_but_the_server_is_there(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id)

    def refused(batch):
        raise NotSignedIn("device-credential-missing")

    station.link.push = refused
    with pytest.raises(NotSignedIn):
        station.sync()
    assert station.engine.status().online


def test_a_backlog_goes_in_batches_with_progress(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.engine.page_size = 10
    for _ in range(15):
        station.inspect_part(target.id, image=b"the same picture")
    steps: list[SyncProgress] = []
    report = station.engine.run_once(steps.append)
    assert report.pushed == 45
    assert [step.done for step in steps if step.stage == "push"] == [10, 20, 30, 40, 45]
    assert all(step.total == 45 for step in steps if step.stage == "push")
    assert report.blobs_sent == 1


def test_a_blob_that_is_gone_or_damaged_stops_no_other(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    for image in (b"gone", b"damaged", b"whole"):
        station.inspect_part(target.id, image=image)
    import hashlib

    station.blobs.delete(hashlib.sha256(b"gone").hexdigest())
    station.blobs.path(hashlib.sha256(b"damaged").hexdigest()).write_bytes(b"DAMAGED")
    report = station.sync()
    assert report.blobs_sent == 1
    assert sorted(report.problems) == ["blob-damaged", "blob-missing"]
    assert station.engine.status().blobs_waiting == 2
    assert server.objects.exists(hashlib.sha256(b"whole").hexdigest())
    assert not server.objects.exists(hashlib.sha256(b"damaged").hexdigest())


def due(station):
    with station.database.read() as session:
        value = get_value(session, DUE_AT)
    return parse_rfc3339(value) if value else None
