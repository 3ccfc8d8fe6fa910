"""``ProcessVideoStream`` by real gRPC: the same results as the runner, clear ends, nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from inspection.imaging.files import decode_image, encode_jpeg
from server.camera_stream.pace import MOST_FPS
from server.grpc.contract import CAMERA_STREAM, ERROR_KEY
from server.grpc.detections import as_detection
from server.grpc.stubs import common_pb2
from tests.support.awaiting import wait_until
from tests.support.streams import jpeg
from tests.support.video_calls import (
    BLURRING,
    DETECTING,
    Listening,
    VideoCall,
    listening_streams,
    runner_of,
    video_call,
)

SLOWLY = {"fps": "0.1"}


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening_streams(tmp_path_factory.mktemp("streams"), stream_most=4) as running:
        yield running


@pytest.fixture
def call(listening: Listening) -> Iterator[VideoCall]:
    with video_call(listening.address) as made:
        yield made
    assert wait_until(lambda: listening.streams.count == 0, 20)


def noise(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return encode_jpeg(pixels)


def code_of(refused: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    trailers = dict(refused.trailing_metadata())
    return refused.code(), json.loads(trailers[ERROR_KEY])["code"]


@pytest.mark.parametrize(("name", "definition"), [("detecting", DETECTING), ("blurring", BLURRING)])
def test_a_frame_gives_what_the_runner_gives(
    listening: Listening, call: VideoCall, name: str, definition: dict
) -> None:
    runner = runner_of(definition, listening.settings)
    for seed in range(3):
        call.send(noise(seed), seed + 1, pipeline_id=name, source_id="line-1", **SLOWLY)
        found = call.picture()
        expected = runner.run(decode_image(noise(seed)))
        detections = [as_detection(message) for message in found.detections]
        assert [(one.class_name, one.bbox) for one in detections] == [
            (one.class_name, one.bbox) for one in expected.result.detections
        ]
        assert [one.confidence for one in detections] == pytest.approx(
            [one.confidence for one in expected.result.detections]
        )
        assert expected.overlay is not None
        assert found.processed_data == encode_jpeg(expected.overlay, 85)
        assert found.processing_stats["verdict"] == expected.result.overall_result
        assert found.processing_stats["timestamp_ms"] == str(seed + 1)


def test_the_first_pipeline_must_be_known(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="missing")
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert code_of(refused.value) == (grpc.StatusCode.NOT_FOUND, "pipeline-not-found")


def test_a_stream_without_a_pipeline_is_refused(call: VideoCall) -> None:
    call.send(jpeg(), source_id="line-1")
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert code_of(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "stream-no-pipeline")


@pytest.mark.parametrize("metadata", [{}, {"archive": "true"}, {"colour": "red"}], ids=["none", "archive", "unknown"])
def test_a_first_frame_that_names_nothing_is_refused(call: VideoCall, metadata: dict[str, str]) -> None:
    call.send(jpeg(), **metadata)
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert code_of(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "stream-no-pipeline")


def test_a_switch_to_an_unknown_pipeline_is_told_by_a_message(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
    call.picture()
    call.send(b"", pipeline_id="missing")
    assert call.told("error_code").processing_stats["error_code"] == "pipeline-not-found"
    call.send(jpeg())
    assert call.picture().processing_stats["pipeline_id"] == "detecting"


def test_the_pipeline_is_switched_within_the_stream(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
    used = [call.picture().processing_stats["pipeline_id"]]
    while used[-1] == "detecting":
        call.send(jpeg(), pipeline_id="blurring")
        used.append(call.picture().processing_stats["pipeline_id"])
    assert used[-1] == "blurring"


def test_a_frame_that_is_no_image_is_told_by_its_number(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
    call.picture()
    call.send(b"no picture")
    stats = call.told("error_code").processing_stats
    assert (stats["error_code"], stats["frame"]) == ("image-unknown-format", "2")
    call.send(jpeg())
    assert call.picture().processing_stats["frame"] == "3"


@pytest.mark.slow
def test_a_client_that_leaves_its_results_untaken_is_ended(
    listening: Listening, call: VideoCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.camera_stream.rpc.SLOW_CLIENT_S", 0.3)
    large = encode_jpeg(np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8))
    call.send(large, pipeline_id="blurring", **SLOWLY)
    call.picture()
    # More than a connection takes of what nobody reads.
    assert wait_until(lambda: call.send(large) or listening.streams.count == 0, 40)
    with pytest.raises(grpc.RpcError) as refused:
        list(call)
    assert code_of(refused.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "stream-slow-client")


def test_bytes_that_are_no_message_end_the_call(call: VideoCall) -> None:
    call.send_bytes(b"\xff\xff\xff")
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert code_of(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "service-message-malformed")


def test_a_bug_in_reading_ends_the_call(call: VideoCall, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("server.camera_stream.rpc.parsed", broken)
    call.send_bytes(b"")
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert refused.value.code() is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("metadata", [{"fps": "0"}, {"fps": "fast"}, {"control": "jump"}, {"source_id": "x" * 201}])
def test_metadata_out_of_range_end_the_call(call: VideoCall, metadata: dict[str, str]) -> None:
    call.send(jpeg(), pipeline_id="detecting", **metadata)
    with pytest.raises(grpc.RpcError) as refused:
        call.picture()
    assert code_of(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "stream-control-invalid")


def test_a_flood_of_frames_ends_the_call(call: VideoCall) -> None:
    for _ in range(5 * MOST_FPS):
        call.send(jpeg(), pipeline_id="detecting")
    with pytest.raises(grpc.RpcError) as refused:
        for _ in call:
            pass
    assert code_of(refused.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "stream-flood")


def test_a_paused_stream_sends_statistics_alone(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
    call.picture()
    call.send(b"", control="pause")
    call.send(jpeg())
    message = next(iter(call))
    assert (message.processed_data, message.processing_stats["dropped"]) == (b"", "1")
    call.send(jpeg(), control="start")
    assert call.picture().processing_stats["frame"] == "3"


def test_a_client_that_sends_no_more_gets_the_last_frame(call: VideoCall) -> None:
    call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
    call.end()
    pictures = [message.processing_stats["frame"] for message in call if message.processed_data]
    assert (pictures, call.call.code()) == (["1"], grpc.StatusCode.OK)


def test_a_cancelled_call_frees_its_stream(listening: Listening) -> None:
    with video_call(listening.address) as call:
        call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
        call.picture()
        assert listening.streams.count == 1
        call.call.cancel()
        assert wait_until(lambda: listening.streams.count == 0, 20)


def test_more_streams_than_allowed_are_refused(listening: Listening) -> None:
    # The streams of the test before may still be ending.
    assert wait_until(lambda: listening.streams.count == 0, 20)
    with (
        video_call(listening.address) as first,
        video_call(listening.address) as second,
        video_call(listening.address) as third,
        video_call(listening.address) as fourth,
    ):
        for call in (first, second, third, fourth):
            call.send(jpeg(), pipeline_id="detecting", **SLOWLY)
            call.picture()
        # Opened when the others are: calls that begin together come in any order.
        with video_call(listening.address) as one_too_many:
            one_too_many.send(jpeg(), pipeline_id="detecting")
            with pytest.raises(grpc.RpcError) as refused:
                one_too_many.picture()
        assert code_of(refused.value) == (grpc.StatusCode.UNAVAILABLE, "stream-too-many")
    assert wait_until(lambda: listening.streams.count == 0, 20)


def test_a_client_that_does_not_read_holds_up_no_other(listening: Listening) -> None:
    large = encode_jpeg(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8), 95)
    with video_call(listening.address) as slow, video_call(listening.address) as fast:
        for number in range(20):
            slow.send(large, pipeline_id="blurring", source_id="slow", **SLOWLY)
            fast.send(jpeg(), pipeline_id="detecting", source_id="fast", **SLOWLY)
            stats = fast.picture().processing_stats
            assert (stats["source_id"], stats["frame"]) == ("fast", str(number + 1))
    assert wait_until(lambda: listening.streams.count == 0, 20)


def test_the_service_says_that_it_is_well(listening: Listening) -> None:
    with grpc.insecure_channel(listening.address) as channel:
        ask = channel.unary_unary(CAMERA_STREAM.path("HealthCheck"), None, None)
        answer = common_pb2.HealthCheckResponse.FromString(ask(b"", timeout=30))
    assert (answer.healthy, answer.message) == (True, "CameraStreamService")
