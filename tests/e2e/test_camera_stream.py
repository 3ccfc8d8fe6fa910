"""Live video at real processes: a real detector, both faces, and an end that nobody has to wait for."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from websockets.sync.client import connect

from inspection.imaging.files import decode_image, encode_jpeg
from inspection.pipeline.definition import ready_definition
from inspection.pipeline.runner import InspectionOutcome
from inspection.sources import make_source
from models.states import Role
from server.context import open_context
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM
from server.grpc.detections import as_detection
from server.users.schemas import UserCreate
from server.users.service import create_user
from tests.support.server_process import server, service
from tests.support.serving import PASSWORD, SETUP
from tests.support.streams import jpeg
from tests.support.video_calls import VideoCall, runner_of, video_call

FRAMES = 5
SLOWLY = {"fps": "0.1"}


@dataclass(frozen=True)
class Video:
    """Frames of a camera, and what the pipeline finds on them without a server."""

    frames: list[bytes]
    expected: list[InspectionOutcome]
    environment: dict[str, str]


@dataclass(frozen=True)
class Running:
    """A server process."""

    process_id: int
    url: str
    token: str
    grpc_address: str


@pytest.fixture(scope="module")
def video(data: Path) -> Video:
    weights = data / "weights" / "yolo11n_int8_320.onnx"
    frames: list[bytes] = []
    with make_source(str(data / "video" / "bottle-detection.mp4")) as source:
        while len(frames) < FRAMES:
            frame = source.read()
            assert frame is not None
            frames.append(encode_jpeg(frame.rgb()))
    runner = runner_of(
        ready_definition("detection").model_dump(mode="json"), ServerSettings(models={"default": weights})
    )
    expected = [runner.run(decode_image(frame)) for frame in frames]
    return Video(frames, expected, {"IMAGEFLOW_SERVER_MODELS": json.dumps({"default": str(weights)})})


@contextmanager
def running_server(folder: Path, **environment: str) -> Iterator[Running]:
    context = open_context(ServerSettings(data_dir=folder))
    create_user(context, SETUP, UserCreate(username="boss", role=Role.ADMIN, password=PASSWORD))
    context.close()
    with server(folder, **environment) as (process, url, _):
        with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30) as client:
            signed_in = client.post("/auth/login", json={"username": "boss", "password": PASSWORD}).json()
            token = signed_in["access_token"]
            services = client.get("/grpc-services", headers={"Authorization": f"Bearer {token}"}).json()
        addresses = {one["id"]: one["replicas"][0]["address"] for one in services}
        yield Running(process.pid, url, token, addresses[CAMERA_STREAM.key])


def first_picture(call: VideoCall, frame: bytes, **metadata: str) -> None:
    """Send a frame again and again until one comes back: what comes before waits for the model."""
    call.send(frame, **metadata)
    for message in call:
        if message.processed_data:
            return
        call.send(frame)


@pytest.mark.slow
def test_a_server_finds_by_grpc_what_the_runner_finds(video: Video, tmp_path: Path) -> None:
    with running_server(tmp_path, **video.environment) as running, video_call(running.grpc_address) as call:
        require_same(call, video)


@pytest.mark.slow
def test_a_service_by_itself_finds_what_the_runner_finds(video: Video, tmp_path: Path) -> None:
    with (
        service("camera-stream", "--data-dir", str(tmp_path), **video.environment) as address,
        video_call(address) as call,
    ):
        require_same(call, video)


def require_same(call: VideoCall, video: Video) -> None:
    first_picture(call, video.frames[0], pipeline_id="detection", **SLOWLY)
    for frame, expected in zip(video.frames, video.expected, strict=True):
        # By its time a picture is known from one that was sent while the model was loading.
        sent_at = int(time.time() * 1000)
        call.send(frame, sent_at)
        while (found := call.picture()).processing_stats["timestamp_ms"] != str(sent_at):
            pass
        detections = [as_detection(message) for message in found.detections]
        assert [one.class_name for one in detections] == [one.class_name for one in expected.result.detections]
        for one, other in zip(detections, expected.result.detections, strict=True):
            assert one.confidence == pytest.approx(other.confidence)
            assert one.bbox.model_dump() == pytest.approx(other.bbox.model_dump(), rel=1e-5)
        assert expected.overlay is not None
        assert found.processed_data == encode_jpeg(expected.overlay, 85)


@pytest.mark.slow
def test_a_server_finds_by_websocket_what_the_runner_finds(video: Video, tmp_path: Path) -> None:
    with running_server(tmp_path, **video.environment) as running:
        address = f"{running.url.replace('http', 'ws', 1)}/ws/camera-stream"
        with connect(address, subprotocols=["bearer", running.token], proxy=None) as connection:
            assert connection.subprotocol == "bearer"
            connection.send(json.dumps({"type": "start", "pipeline_id": "detection", "fps": 0.1}))
            while json.loads(connection.recv(timeout=60)).get("pipeline_id") != "detection":
                pass
            for frame, expected in zip(video.frames, video.expected, strict=True):
                connection.send(frame)
                while (message := json.loads(connection.recv(timeout=60)))["type"] != "detections":
                    pass
                assert message["detections"] == [one.model_dump(mode="json") for one in expected.result.detections]
                assert expected.overlay is not None
                assert connection.recv(timeout=60) == encode_jpeg(expected.overlay, 85)


@pytest.mark.slow
def test_a_server_that_stops_tells_its_streams(tmp_path: Path) -> None:
    with running_server(tmp_path) as running, video_call(running.grpc_address) as call:
        call.send(jpeg(), pipeline_id="codes", **SLOWLY)
        call.picture()
        os.kill(running.process_id, signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as ended:
            for _ in call:
                pass
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.slow
def test_a_server_that_is_killed_ends_its_streams(tmp_path: Path) -> None:
    with running_server(tmp_path) as running, video_call(running.grpc_address) as call:
        call.send(jpeg(), pipeline_id="codes", **SLOWLY)
        call.picture()
        os.kill(running.process_id, signal.SIGKILL)
        with pytest.raises(grpc.RpcError) as ended:
            for _ in call:
                pass
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
