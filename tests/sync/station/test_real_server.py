"""Client and engine against ``imageflow server`` as a process of its own, on a real link."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from models.errors import Conflict, Gone, InvalidInput, NotFound, NotSignedIn, PermissionDenied, TooLarge, Unavailable
from models.ids import new_id
from models.sessions import InspectionSession
from models.states import HumanVerdict
from models.targets import InspectionItem, Target
from sync.shared.blob_batches import PackedBlob
from sync.shared.problems import code_of, problem_code
from sync.shared.protocol import SYNC_PATH, Batch, UploadRequest
from sync.station.client import ServerClient
from sync.station.sending import PieceSize
from tests.support.real_server import Proxy, ServerProcess, wait_for
from tests.support.real_station import RealStation
from tests.support.sync_stores import contents, masters, model_file, signed_in


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own(tmp_path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "server")
    server.database().close()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def station(tmp_path, running) -> Iterator[RealStation]:
    made = RealStation(tmp_path / "station", running, f"station-{new_id()[-6:]}")
    yield made
    made.close()


def prepared(server: ServerProcess, *stations: RealStation):
    user, target, item = masters()
    server.add(user, target, item, *(signed_in(user, station.device_id) for station in stations))
    for station in stations:
        station.sync()
    return user, target, item


def server_parts(server: ServerProcess, device_id: str) -> list[str]:
    database = server.database()
    with database.read() as session:
        found = list(session.scalars(select(InspectionSession.id).where(InspectionSession.device_id == device_id)))
    database.close()
    return found


def test_parts_go_up_unchanged_while_masters_come_down(running, station):
    user, target, _ = prepared(running, station)
    assert station.record(Target, target.id).name == "Plate"
    part = station.inspect_part(target.id, user.id, image=bytes(range(256)) * 1000)
    station.verify_part(part, HumanVerdict.OK, user.id)
    station.edit(Target, target.id, user.id, name="Plate ③ 検査")
    report = station.sync()
    assert (report.pushed, report.dead, report.blobs_sent, report.problems) == (6, 0, 1, ())
    database = running.database()
    here, there = contents(station.database), contents(database)
    database.close()
    for entity in ("inspection_session", "image", "ai_result", "human_verification", "target"):
        for identifier, fields in here[entity].items():
            assert there[entity][identifier] == fields
    sha256 = next(iter(here["image"].values()))["sha256"]
    assert station.client.get_bytes(f"{SYNC_PATH}/download", {"blob": sha256}) == bytes(range(256)) * 1000


def test_a_second_pass_has_nothing_to_do(running, station):
    prepared(running, station)
    report = station.sync()
    assert (report.pushed, report.pulled, report.blobs_sent, report.full_resync) == (0, 0, 0, False)


def test_an_upload_that_is_cut_goes_on_where_it_was(tmp_path, running):
    proxy = Proxy(running.port)
    station = RealStation(tmp_path / "cut", running, "cut", proxy.url)
    try:
        _, target, _ = prepared(running, station)
        data = hashlib.sha512(b"seed").digest() * 10_000  # 640 kB, ten pieces
        station.inspect_part(target.id, image=data)
        proxy.cut_after, proxy.passed = 300_000, 0
        assert station.sync().blobs_sent == 1
        assert proxy.cuts == 1
        assert proxy.passed < 1.5 * len(data)
        sha256 = hashlib.sha256(data).hexdigest()
        assert station.client.get_bytes(f"{SYNC_PATH}/download", {"blob": sha256}) == data
    finally:
        station.close()
        proxy.close()


@pytest.mark.slow
def test_a_large_image_arrives_whole_over_a_link_that_is_cut_every_two_megabytes(tmp_path, running):
    proxy = Proxy(running.port)
    station = RealStation(tmp_path / "cut", running, "often-cut", proxy.url)
    try:
        _, target, _ = prepared(running, station)
        station.engine._pieces = PieceSize(1024 * 1024)
        image = secrets.token_bytes(20_000_000)
        station.inspect_part(target.id, image=image)
        proxy.cut_every, proxy.passed = 2_000_000, 0
        assert station.sync().blobs_sent == 1
        assert proxy.cuts >= 9
        assert proxy.passed < 1.5 * len(image)
        digest = hashlib.sha256(image).hexdigest()
        assert station.client.get_bytes(f"{SYNC_PATH}/download", {"blob": digest}) == image
    finally:
        station.close()
        proxy.close()


@pytest.mark.slow
def test_the_engine_goes_on_by_itself_when_the_server_comes_back(tmp_path, own):
    station = RealStation(tmp_path / "s", own, "s")
    _, target, _ = prepared(own, station)

    def failed() -> bool:
        status = station.engine.status()
        return not status.running and status.last_error is not None

    def sent() -> bool:
        status = station.engine.status()
        return not status.running and status.online and status.waiting == 0 and status.blobs_waiting == 0

    own.stop()
    station.engine.start()
    parts = [station.inspect_part(target.id) for _ in range(3)]
    station.engine.request()
    wait_for(failed, 20)
    assert station.engine.status().waiting == 9
    assert code_of(station.engine.status().last_error) == "server-unreachable"
    own.start()
    wait_for(sent, 20)
    assert station.engine.stop()
    assert sorted(server_parts(own, station.device_id)) == sorted(parts)
    station.close()


@pytest.mark.slow
def test_two_devices_that_push_at_once_both_arrive_whole(tmp_path, running):
    stations = [RealStation(tmp_path / name, running, f"{name}-{new_id()[-4:]}") for name in ("a", "b")]
    user, target, _ = prepared(running, *stations)
    for station in stations:
        for number in range(20):
            station.inspect_part(target.id, user.id)
            station.edit(Target, target.id, user.id, name=f"{station.device_id[-4:]}-{number}")
    threads = [threading.Thread(target=station.sync) for station in stations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for station in stations:
        station.sync()
        assert station.outbox() == []
        assert len(server_parts(running, station.device_id)) == 20
    names = {station.record(Target, target.id).name for station in stations}
    assert len(names) == 1
    for station in stations:
        station.close()


@pytest.mark.parametrize("held", [123_456, 1_280_000], ids=["half-way", "behind-the-last-byte"])
def test_a_download_of_a_model_that_was_cut_goes_on(tmp_path, running, station, held):
    _, _, item = prepared(running, station)
    data = hashlib.sha512(b"model %d" % held).digest() * 20_000
    assert held <= len(data) == 1_280_000
    model = model_file(data)
    running.add(model)
    state = station.client.begin_upload(UploadRequest(sha256=model.sha256, size=len(data), content_type="x/y"))
    for offset in range(0, len(data), 500_000):
        state = station.client.send_chunk(model.sha256, offset, data[offset : offset + 500_000], len(data))
    assert state.complete
    database = running.database()
    with database.transaction() as session:
        session.get(InspectionItem, item.id).pipeline_parameters = {"score": {"model": model.id}}
    database.close()
    partial = station.blobs.partial(model.sha256)
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(data[:held])
    assert station.sync().blobs_fetched == 1
    assert station.blobs.read(model.sha256) == data


def test_a_blob_of_another_station_is_not_to_be_had(tmp_path, running, station):
    _, target, _ = prepared(running, station)
    station.inspect_part(target.id, image=b"secret of one")
    station.sync()
    other = RealStation(tmp_path / "other", running, "other")
    sha256 = hashlib.sha256(b"secret of one").hexdigest()
    with pytest.raises(NotFound):
        other.client.get_bytes(f"{SYNC_PATH}/download", {"blob": sha256})
    other.close()


def test_bytes_that_differ_from_their_digest_are_not_kept(running, station):
    sha256 = hashlib.sha256(b"right").hexdigest()
    station.client.begin_upload(UploadRequest(sha256=sha256, size=5, content_type="image/png"))
    from models.errors import DoesNotFit

    with pytest.raises(DoesNotFit) as refusal:
        station.client.send_chunk(sha256, 0, b"wrong", 5)
    assert code_of(refusal.value) == "blob-digest-differs"
    state = station.client.begin_upload(UploadRequest(sha256=sha256, size=5, content_type="image/png"))
    assert (state.offset, state.complete) == (0, False)


def test_of_several_blobs_only_the_one_that_differs_is_refused(running, station):
    contents = [b"right %s" % new_id().encode(), b"wrong", b""]
    requests = [
        UploadRequest(sha256=hashlib.sha256(data).hexdigest(), size=len(data), content_type="image/png")
        for data in contents
    ]
    sent = [PackedBlob(requests[0], contents[0]), PackedBlob(requests[1], b"WRONG"), PackedBlob(requests[2], b"")]
    results = station.client.send_blobs(sent).results
    assert [(result.sha256, result.complete) for result in results] == [
        (requests[0].sha256, True),
        (requests[1].sha256, False),
        (requests[2].sha256, True),
    ]
    assert problem_code(results[1].problem) == "blob-digest-differs"
    assert [station.client.begin_upload(request).complete for request in requests] == [True, False, True]


def test_a_body_of_blobs_that_is_cut_is_refused(running, station):
    data = b"whole"
    request = UploadRequest(sha256=hashlib.sha256(data).hexdigest(), size=len(data) + 1, content_type="image/png")
    with pytest.raises(InvalidInput) as refusal:
        station.client.send_blobs([PackedBlob(request, data)])
    assert code_of(refusal.value) == "upload-invalid"


def test_a_wrong_offset_is_answered_with_the_right_one(running, station):
    sha256 = hashlib.sha256(b"0123456789").hexdigest()
    station.client.begin_upload(UploadRequest(sha256=sha256, size=10, content_type="image/png"))
    station.client.send_chunk(sha256, 0, b"0123", 10)
    with pytest.raises(Conflict) as refusal:
        station.client.send_chunk(sha256, 6, b"6789", 10)
    assert refusal.value.members["problem"]["offset"] == 4
    assert station.client.send_chunk(sha256, 4, b"456789", 10).complete


def test_a_batch_over_the_limit_is_413_with_the_limits(running, station):
    changes = [{"change_id": new_id()} for _ in range(501)]
    batch = Batch(device_id=station.device_id, batch_id=new_id(), schema_version=1, changes=changes)
    with pytest.raises(TooLarge) as refusal:
        station.client.push(batch)
    assert refusal.value.members["problem"]["max_changes"] == 500
    bomb = Batch(
        device_id=station.device_id, batch_id=new_id(), schema_version=1, changes=[{"fields": {"x": "0" * 2_000_000}}]
    )
    with pytest.raises(TooLarge):
        station.client.push(bomb)


def test_a_change_too_large_by_itself_does_not_hold_up_the_rest(running, station):
    user, target, _ = prepared(running, station)
    station.edit(Target, target.id, user.id, description="x" * 1_500_000)
    part = station.inspect_part(target.id, user.id)
    report = station.sync()
    assert (report.dead, report.pushed) == (1, 3)
    assert server_parts(running, station.device_id) == [part]


def test_one_malformed_change_does_not_spoil_its_batch(running, station):
    _, target, _ = prepared(running, station)
    part = InspectionSession(device_id=station.device_id, target_id=target.id)
    station.add(None, part)
    from sync.station.outbox import change_of

    good = change_of(station.outbox()[0])
    bad = [{}, {**good, "change_id": 7}, {**good, "entity_id": new_id(), "change_id": new_id(), "clock": "yesterday"}]
    odd = {**good, "entity_id": new_id(), "change_id": new_id(), "fields": {**good["fields"], "status": "DANCING"}}
    batch = Batch(device_id=station.device_id, batch_id=new_id(), schema_version=1, changes=[bad[0], bad[2], odd, good])
    outcomes = [result.outcome.value for result in station.client.push(batch).results]
    assert outcomes == ["rejected", "rejected", "rejected", "applied"]


def test_a_batch_in_the_name_of_another_device_is_refused(running, station):
    batch = Batch(device_id=new_id(), batch_id=new_id(), schema_version=1, changes=[])
    with pytest.raises(PermissionDenied) as refusal:
        station.client.push(batch)
    assert code_of(refusal.value) == "sync-other-device"


@pytest.mark.slow
def test_a_time_serves_as_a_cursor_unlike_a_foreign_one(running, station):
    prepared(running, station)
    everything = station.client.pull("2020-01-01T00:00:00Z", 500)
    assert len(everything.changes) >= 3
    assert station.client.pull("2120-01-01T00:00:00Z", 500).changes == []
    from server.change_log.cursor import pack

    with pytest.raises(Gone) as refusal:
        station.client.pull(pack("1", new_id(), "3"), 500)
    assert code_of(refusal.value) == "full-resync-required"


def test_a_wrong_credential_takes_nothing_from_what_waits(running, station):
    _, target, _ = prepared(running, station)
    station.inspect_part(target.id)
    station.credential = "wrong"
    station.client._token = None
    with pytest.raises(NotSignedIn):
        station.sync()
    assert station.engine.status().waiting == 3


def test_an_expired_token_is_renewed_without_a_person(running, station):
    prepared(running, station)
    station.client._token = "expired"
    assert station.sync().dead == 0


def test_something_else_at_the_address_is_reported_as_such(tmp_path):
    import http.server

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            return

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    client = ServerClient(f"http://127.0.0.1:{listener.server_port}")
    with pytest.raises(Unavailable) as refusal:
        client.health()
    assert refusal.value.code == "server-not-ours"
    client.close()
    listener.shutdown()
    listener.server_close()
    thread.join()


def test_no_request_without_a_token_is_answered(running):
    for method, path in (
        ("POST", "apply-changes"),
        ("GET", "changes"),
        ("POST", "upload"),
        ("GET", "download"),
    ):
        answer = httpx.request(method, f"{running.url}/api/v1{SYNC_PATH}/{path}", trust_env=False, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_only_one_process_passes_at_a_time(running, station):
    from sync.station.pass_lock import only_pass

    lock = Path(station.database.url.removeprefix("sqlite:///")).with_name("sync.lock")
    with only_pass(lock), pytest.raises(Conflict) as refusal:
        station.sync()
    assert refusal.value.code == "sync-already-running"
    wait_for(lambda: station.sync().dead == 0)
