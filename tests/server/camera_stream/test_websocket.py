"""``/ws/camera-stream``: pictures and findings out, control in, a clear word for whatever does not fit."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from inspection.imaging.files import decode_image, encode_jpeg
from models.errors import InvalidInput
from models.pipelines import ModelFile
from models.storage import sha256_of
from server.camera_stream.messages import parse_control
from server.camera_stream.pace import MOST_FPS
from server.http.websocket_protocol import CloseCode
from tests.support.detector_files import with_description
from tests.support.live_clients import PATIENCE_S, close_code, live, message, refusal
from tests.support.serving import Served, serve_with_users
from tests.support.streams import jpeg
from tests.support.video_calls import BLURRING, DETECTING, runner_of, stream_files

PATH, SAME_PATHS = "/ws/camera-stream", ("/ws/camera-stream", "/api/v1/camera-stream", "/v1/camera-stream")
LARGEST, MOST = 100_000, 3


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("streaming")
    given = {"stream_max_frame_bytes": LARGEST, "stream_most": MOST, **stream_files(folder)}
    with serve_with_users(folder / "server", **given) as running:
        yield running


@pytest.fixture
def connection(streaming: Served) -> Iterator[ClientConnection]:
    with live(streaming, PATH) as opened:
        yield opened


def control(connection: ClientConnection, kind: str, **members: Any) -> None:
    connection.send(json.dumps({"type": kind, **members}))


def told(connection: ClientConnection, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
    """The next message of a type that fits; pictures are passed over."""
    while True:
        received = connection.recv(timeout=PATIENCE_S)
        if isinstance(received, str) and (found := json.loads(received))["type"] == kind and where(found):
            return found


def start(connection: ClientConnection, pipeline: str = "detecting", source: str = "line-1") -> None:
    """Start a stream in which a frame may be twenty seconds old, and wait until its pipeline is ready."""
    control(connection, "start", source_id=source, pipeline_id=pipeline, fps=0.1)
    told(connection, "stream_state", lambda state: state.get("pipeline_id") == pipeline)


def through(connection: ClientConnection, frame: bytes) -> tuple[dict[str, Any], bytes]:
    """What was found on a frame, and its picture."""
    connection.send(frame)
    found = told(connection, "detections")
    picture = connection.recv(timeout=PATIENCE_S)
    assert isinstance(picture, bytes)
    return found, picture


def error_code(connection: ClientConnection) -> str:
    return str(told(connection, "error")["error"]["code"])


def test_a_client_gets_the_state_first(connection: ClientConnection) -> None:
    assert message(connection) == {"type": "stream_state", "status": "stopped", "source_id": ""}


@pytest.mark.parametrize("path", SAME_PATHS)
def test_the_stream_answers_at_each_of_its_paths(streaming: Served, path: str) -> None:
    with live(streaming, path) as opened:
        assert message(opened)["type"] == "stream_state"


@pytest.mark.parametrize("path", SAME_PATHS)
def test_who_is_not_signed_in_is_refused(streaming: Served, path: str) -> None:
    assert refusal(streaming, path, "nobody") == (401, "sign-in-needed")


@pytest.mark.parametrize(("name", "definition"), [("detecting", DETECTING), ("blurring", BLURRING)])
def test_a_frame_gives_what_the_runner_gives(
    streaming: Served, connection: ClientConnection, name: str, definition: dict[str, Any]
) -> None:
    runner = runner_of(definition, streaming.context.settings)
    start(connection, name)
    for number in range(1, 4):
        frame = jpeg(60 * number)
        found, picture = through(connection, frame)
        expected = runner.run(decode_image(frame))
        assert (found["frame"], found["source_id"], found["pipeline_id"]) == (number, "line-1", name)
        assert found["verdict"] == expected.result.overall_result
        assert found["detections"] == [one.model_dump(mode="json") for one in expected.result.detections]
        assert expected.overlay is not None
        assert picture == encode_jpeg(expected.overlay, 85)


def test_a_pipeline_of_the_database_is_named_by_its_id(streaming: Served, connection: ClientConnection) -> None:
    body = {"name": "Blurring", "definition": BLURRING}
    made = streaming["supervisor"].post("/pipelines", json=body)
    assert made.status_code == 201, made.text
    start(connection, made.json()["id"])
    assert through(connection, jpeg())[0]["pipeline_version"] == 1


def test_a_pipeline_may_name_a_model_file_of_the_database(
    streaming: Served, connection: ClientConnection, tmp_path: Path
) -> None:
    bundle = with_description(tmp_path).read_bytes()
    record = ModelFile(name="m", model_kind="detector", sha256=sha256_of(bundle), size_bytes=len(bundle))
    streaming.context.objects.put(record.sha256, bundle)
    with streaming.context.database.transaction() as session:
        session.add(record)
    step = {"id": "a", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": record.id}}
    made = streaming["supervisor"].post("/pipelines", json={"name": "P", "definition": {"name": "P", "steps": [step]}})
    assert made.status_code == 201, made.text
    start(connection, made.json()["id"])
    found, _ = through(connection, jpeg())
    assert [one["class_name"] for one in found["detections"]] == ["a"]


def test_statistics_come_with_what_the_contract_names(connection: ClientConnection) -> None:
    start(connection)
    for _ in range(3):
        through(connection, jpeg())
    stats = told(connection, "stream_stats", lambda message: message["frames_out"] == 3)
    assert stats["fps"] > 0
    assert stats["latency_ms"] > 0
    assert (stats["frames_in"], stats["dropped"]) == (3, 0)


def test_frames_before_the_start_are_told_of_once(connection: ClientConnection) -> None:
    for _ in range(3):
        connection.send(jpeg())
    assert error_code(connection) == "STREAM_NOT_STARTED"
    start(connection)
    found, _ = through(connection, jpeg())
    assert found["frame"] == 4


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"type": "jump"}',
        '{"type": "start", "speed": 2}',
        '{"type": "start", "fps": 0}',
        "9" * 5_000,
    ],
    ids=["text", "list", "empty", "unknown", "member", "range", "long"],
)
def test_control_that_cannot_be_used_ends_nothing(connection: ClientConnection, text: str) -> None:
    start(connection)
    connection.send(text)
    assert error_code(connection) in {"STREAM_CONTROL_INVALID", "STREAM_CONTROL_TOO_LONG"}
    assert through(connection, jpeg())[0]["frame"] == 1


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("no json", "message", "value-json-invalid"),
        ("[]", "message", "value-dict-type"),
        ("{}", "type", "value-union-tag-not-found"),
        ('{"type": "jump"}', "type", "value-union-tag-invalid"),
        ('{"type": "start", "speed": 2}', "start.speed", "value-extra-forbidden"),
    ],
)
def test_a_refused_control_message_names_what_is_wrong(text: str, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_control(text)
    assert (refused.value.values["field"], refused.value.values["reason"].code) == (field, reason)


def test_a_start_without_a_pipeline_is_refused(connection: ClientConnection) -> None:
    control(connection, "start", source_id="line-1")
    assert error_code(connection) == "STREAM_NO_PIPELINE"


def test_an_unknown_pipeline_leaves_the_old_one_running(connection: ClientConnection) -> None:
    start(connection)
    control(connection, "set_pipeline", pipeline_id="missing")
    assert error_code(connection) == "PIPELINE_NOT_FOUND"
    assert through(connection, jpeg())[0]["pipeline_id"] == "detecting"


def test_the_pipeline_is_switched_within_the_stream(connection: ClientConnection) -> None:
    start(connection)
    through(connection, jpeg())
    control(connection, "set_pipeline", pipeline_id="blurring")
    told(connection, "stream_state", lambda state: state["pipeline_id"] == "blurring")
    assert through(connection, jpeg())[0]["pipeline_id"] == "blurring"


def test_a_paused_stream_passes_frames_over_until_it_is_started(connection: ClientConnection) -> None:
    start(connection)
    control(connection, "pause")
    told(connection, "stream_state", lambda state: state["status"] == "paused")
    connection.send(jpeg())
    assert told(connection, "stream_stats", lambda stats: stats["frames_in"] == 1)["dropped"] == 1
    control(connection, "start")
    assert through(connection, jpeg())[0]["frame"] == 2


def test_a_stopped_stream_needs_a_pipeline_again(connection: ClientConnection) -> None:
    start(connection)
    control(connection, "stop")
    assert told(connection, "stream_state")["status"] == "stopped"
    control(connection, "start")
    assert error_code(connection) == "STREAM_NO_PIPELINE"


def test_a_frame_that_is_no_image_is_told_by_its_number(connection: ClientConnection) -> None:
    start(connection)
    connection.send(b"no picture")
    trouble = told(connection, "error")
    assert (trouble["error"]["code"], trouble["frame"]) == ("IMAGE_UNKNOWN_FORMAT", 1)
    assert through(connection, jpeg())[0]["frame"] == 2


def test_a_frame_beyond_the_limit_ends_the_connection(connection: ClientConnection) -> None:
    connection.send(bytes(LARGEST + 1))
    assert close_code(connection) == 1009


def test_a_flood_of_frames_ends_the_connection(connection: ClientConnection) -> None:
    start(connection)
    frame = jpeg()
    with suppress(ConnectionClosed):
        for _ in range(5 * MOST_FPS):
            connection.send(frame)
    assert close_code(connection) == CloseCode.POLICY


def test_a_frame_that_was_asked_for_lies_in_the_archive(streaming: Served, connection: ClientConnection) -> None:
    start(connection, "blurring", "line-of-its-own")
    frame = jpeg(77)
    control(connection, "archive")
    connection.send(frame)
    assert told(connection, "detections")["archived"] == "requested"
    kept = told(connection, "archived")
    assert (kept["frame"], kept["reason"], kept["sha256"]) == (1, "requested", sha256_of(frame))
    assert streaming["supervisor"].get(f"/files/{kept['file_id']}").content == frame


def test_more_streams_than_allowed_are_refused(streaming: Served) -> None:
    with live(streaming, PATH), live(streaming, PATH), live(streaming, PATH):
        assert refusal(streaming, PATH) == (503, "stream-too-many")


def test_clients_that_vanish_free_their_streams(streaming: Served) -> None:
    for _ in range(3 * MOST):
        with live(streaming, PATH) as opened:
            start(opened)
            opened.send(jpeg())
            opened.socket.shutdown(socket.SHUT_RDWR)


def test_a_client_that_does_not_read_holds_up_no_other(streaming: Served) -> None:
    noise = encode_jpeg(np.random.default_rng(0).integers(0, 256, (160, 320, 3), dtype=np.uint8), 95)
    with live(streaming, PATH, close_timeout=0.1) as slow, live(streaming, PATH) as fast:
        start(slow, "blurring")
        start(fast)
        for number in range(1, 31):
            slow.send(noise)
            assert through(fast, jpeg())[0]["frame"] == number
