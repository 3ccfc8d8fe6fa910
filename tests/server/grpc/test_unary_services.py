"""Resize, detection and filter over real gRPC: what they answer, and what they refuse."""

from __future__ import annotations

import json
import struct
import time
import zlib

import grpc
import numpy as np
import pytest

from inspection.components.filter import FilterParameters, filter_pixels
from inspection.imaging.files import encode_netpbm
from server.grpc.contract import ERROR_KEY, SERVICES
from server.grpc.stubs import ai_detection_pb2, common_pb2, filter_pb2, resize_pb2
from tests.support.grpc_services import UNARY, Hosted

IMAGE = np.random.default_rng(3).integers(0, 255, (60, 100, 3), dtype=np.uint8)
MESSAGES = {
    "resize": lambda image: resize_pb2.ResizeRequest(input_image=image, target_width=8, target_height=8),
    "ai-detection": lambda image: ai_detection_pb2.DetectionRequest(input_image=image),
    "filter": lambda image: filter_pb2.FilterRequest(input_image=image),
}


@pytest.fixture(scope="module")
def image(hosted: Hosted) -> common_pb2.ImageData:
    return hosted.put_image(IMAGE)


def resized(hosted: Hosted, image: common_pb2.ImageData, **fields: object) -> common_pb2.ProcessingResult:
    request = resize_pb2.ResizeRequest(input_image=image, **fields)
    return resize_pb2.ResizeResponse.FromString(hosted.ask("resize", request)).result


def detected(hosted: Hosted, image: common_pb2.ImageData, **fields: object) -> ai_detection_pb2.DetectionResponse:
    request = ai_detection_pb2.DetectionRequest(input_image=image, **fields)
    return ai_detection_pb2.DetectionResponse.FromString(hosted.ask("ai-detection", request))


def filtered(hosted: Hosted, image: common_pb2.ImageData, kind: str, **parameters: str) -> common_pb2.ProcessingResult:
    request = filter_pb2.FilterRequest(input_image=image, filter_type=kind, parameters=parameters)
    return filter_pb2.FilterResponse.FromString(hosted.ask("filter", request)).result


def refusal(hosted: Hosted, key: str, message: object, **options: object) -> tuple[grpc.StatusCode, str]:
    """The status of a refused call, and the code of its error; empty when it carries none."""
    with pytest.raises(grpc.RpcError) as caught:
        hosted.ask(key, message, **options)
    told = dict(caught.value.trailing_metadata() or ()).get(ERROR_KEY)
    return caught.value.code(), json.loads(told)["code"] if told else ""


@pytest.mark.parametrize(
    ("mode", "keeps", "size"),
    [
        ("fit", True, (40, 24)),
        ("fill", True, (40, 40)),
        ("stretch", False, (40, 40)),
        ("", False, (40, 40)),
        ("", True, (40, 24)),
        ("stretch", True, (40, 24)),
    ],
)
def test_resizing_gives_the_size_of_its_mode(
    hosted: Hosted, image: common_pb2.ImageData, mode: str, keeps: bool, size: tuple[int, int]
) -> None:
    fields = {"target_width": 40, "target_height": 40, "resize_mode": mode, "maintain_aspect_ratio": keeps}
    made = resized(hosted, image, **fields)
    height, width = hosted.pixels(made.output_image).shape[:2]
    assert (made.status, width, height) == (common_pb2.PROCESSING_STATUS_COMPLETED, *size)
    assert (made.output_image.width, made.output_image.height) == size


def test_a_small_image_is_enlarged_to_the_size_that_was_asked(hosted: Hosted, image: common_pb2.ImageData) -> None:
    made = resized(hosted, image, target_width=200, target_height=200, resize_mode="fit", maintain_aspect_ratio=True)
    assert (made.output_image.width, made.output_image.height) == (200, 120)


def test_the_side_that_is_left_out_follows_the_other_one(hosted: Hosted, image: common_pb2.ImageData) -> None:
    made = resized(hosted, image, target_width=50, maintain_aspect_ratio=True)
    assert (made.output_image.width, made.output_image.height) == (50, 30)


@pytest.mark.parametrize("kind", ["blur", "sharpen", "edge"])
def test_a_filter_gives_the_very_pixels_of_its_component(
    hosted: Hosted, image: common_pb2.ImageData, kind: str
) -> None:
    made = filtered(hosted, image, kind, radius="2.5", low="20")
    expected = filter_pixels(IMAGE, FilterParameters(filter_type=kind, radius=2.5, low=20))
    np.testing.assert_array_equal(hosted.pixels(made.output_image), expected)


def test_a_detection_has_its_place_in_pixels_of_the_image(hosted: Hosted, image: common_pb2.ImageData) -> None:
    found = detected(hosted, image).detections
    assert [item.class_name for item in found] == ["a"]
    assert found[0].confidence == pytest.approx(0.9)
    # The box of the model is 4 × 4 pixels of its input of 32 × 32, around (8, 8); the image fits in with its width.
    box = found[0].bbox
    assert (box.width, box.height) == pytest.approx((12.5, 12.5), abs=0.2)


def test_a_classifier_answers_its_class_over_the_whole_image(hosted: Hosted, image: common_pb2.ImageData) -> None:
    answer = detected(hosted, image, model_name="resnet50", confidence_threshold=0.5)
    found = answer.detections
    assert [item.class_name for item in found] == ["scratch"]
    box = found[0].bbox
    assert (box.x, box.y, box.width, box.height) == (0, 0, 100, 60)
    assert answer.result.metadata["model_kind"] == "classifier"


@pytest.mark.parametrize("threshold", [0.9, 1.0])
def test_a_class_below_the_threshold_is_not_answered(
    hosted: Hosted, image: common_pb2.ImageData, threshold: float
) -> None:
    assert not detected(hosted, image, model_name="resnet50", confidence_threshold=threshold).detections


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"confidence_threshold": 0.5}, 1),
        ({"confidence_threshold": 0.95}, 0),
        ({"target_classes": ["b"]}, 0),
        ({"target_classes": ["a", "b"]}, 1),
    ],
)
def test_threshold_with_classes_holds_for_one_request(
    hosted: Hosted, image: common_pb2.ImageData, fields: dict[str, object], count: int
) -> None:
    assert len(detected(hosted, image, **fields).detections) == count


@pytest.mark.parametrize(
    ("key", "message", "code"),
    [
        ("resize", resize_pb2.ResizeRequest(target_width=-1, target_height=5), "service-parameter-invalid"),
        ("resize", resize_pb2.ResizeRequest(), "service-parameter-invalid"),
        ("resize", resize_pb2.ResizeRequest(target_width=9000, target_height=5), "service-parameter-invalid"),
        (
            "resize",
            resize_pb2.ResizeRequest(target_width=5, target_height=5, resize_mode="squeeze"),
            "service-parameter-invalid",
        ),
        ("ai-detection", ai_detection_pb2.DetectionRequest(confidence_threshold=1.5), "service-parameter-invalid"),
        (
            "ai-detection",
            ai_detection_pb2.DetectionRequest(confidence_threshold=float("nan")),
            "service-parameter-invalid",
        ),
        ("ai-detection", ai_detection_pb2.DetectionRequest(model_name="../x"), "service-parameter-invalid"),
        ("filter", filter_pb2.FilterRequest(filter_type="melt"), "service-parameter-invalid"),
        ("filter", filter_pb2.FilterRequest(parameters={"radius": "wide"}), "service-parameter-invalid"),
        ("filter", filter_pb2.FilterRequest(parameters={"colour": "red"}), "service-parameter-invalid"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_an_invalid_argument(
    hosted: Hosted, image: common_pb2.ImageData, key: str, message: object, code: str
) -> None:
    message.input_image.CopyFrom(image)
    assert refusal(hosted, key, message) == (grpc.StatusCode.INVALID_ARGUMENT, code)


def test_a_model_without_a_file_is_not_found(hosted: Hosted, image: common_pb2.ImageData) -> None:
    request = ai_detection_pb2.DetectionRequest(input_image=image, model_name="yolo12")
    assert refusal(hosted, "ai-detection", request) == (grpc.StatusCode.NOT_FOUND, "service-model-unknown")


def test_a_model_whose_file_is_missing_is_not_found(hosted: Hosted, image: common_pb2.ImageData) -> None:
    request = ai_detection_pb2.DetectionRequest(input_image=image, model_name="absent")
    assert refusal(hosted, "ai-detection", request) == (grpc.StatusCode.NOT_FOUND, "service-model-absent")


def test_a_missing_file_is_told_without_its_path(hosted: Hosted, image: common_pb2.ImageData) -> None:
    request = ai_detection_pb2.DetectionRequest(input_image=image, model_name="absent")
    with pytest.raises(grpc.RpcError) as caught:
        hosted.ask("ai-detection", request)
    assert "absent.onnx" not in f"{caught.value.details()} {caught.value.trailing_metadata()}"


def test_the_health_of_a_service_names_the_models_whose_file_is_missing(hosted: Hosted) -> None:
    answer = hosted.ask("ai-detection", common_pb2.HealthCheckRequest(), method="HealthCheck")
    message = common_pb2.HealthCheckResponse.FromString(answer).message
    assert "absent (its file is missing)" in message
    assert "yolo11 (" not in message


def test_a_class_that_the_model_does_not_know_is_an_invalid_argument(
    hosted: Hosted, image: common_pb2.ImageData
) -> None:
    request = ai_detection_pb2.DetectionRequest(input_image=image, target_classes=["unicorn"])
    assert refusal(hosted, "ai-detection", request) == (grpc.StatusCode.INVALID_ARGUMENT, "detector-class-unknown")


@pytest.mark.parametrize("key", UNARY)
@pytest.mark.parametrize(
    "place",
    [
        {"object_key": "../../etc/passwd"},
        {"object_key": "/etc/passwd"},
        {"object_key": "server.sqlite3"},
        {"object_key": "aa/bb/../../../server.sqlite3"},
        {"object_key": f"{'a' * 64}"},
        {"object_key": f"bb/aa/{'a' * 64}"},
        {"bucket": "other", "object_key": f"aa/aa/{'a' * 64}"},
        {"bucket": "..", "object_key": f"aa/aa/{'a' * 64}"},
    ],
)
def test_a_place_outside_the_bucket_is_denied(hosted: Hosted, key: str, place: dict[str, str]) -> None:
    asked = common_pb2.ImageData(**{"bucket": hosted.objects.bucket, **place})
    assert refusal(hosted, key, MESSAGES[key](asked)) == (grpc.StatusCode.PERMISSION_DENIED, "object-not-allowed")


@pytest.mark.parametrize("key", UNARY)
def test_a_request_without_an_image_is_an_invalid_argument(hosted: Hosted, key: str) -> None:
    found = refusal(hosted, key, MESSAGES[key](common_pb2.ImageData()))
    assert found == (grpc.StatusCode.INVALID_ARGUMENT, "service-image-missing")


@pytest.mark.parametrize("key", UNARY)
def test_an_object_that_is_not_there_is_not_found(hosted: Hosted, key: str) -> None:
    asked = common_pb2.ImageData(bucket=hosted.objects.bucket, object_key=f"aa/aa/{'a' * 64}")
    assert refusal(hosted, key, MESSAGES[key](asked)) == (grpc.StatusCode.NOT_FOUND, "object-unknown")


@pytest.mark.parametrize("key", UNARY)
def test_an_object_of_another_size_than_the_request_says_is_refused(
    hosted: Hosted, image: common_pb2.ImageData, key: str
) -> None:
    asked = common_pb2.ImageData()
    asked.CopyFrom(image)
    asked.size_bytes = 1
    assert refusal(hosted, key, MESSAGES[key](asked)) == (grpc.StatusCode.NOT_FOUND, "object-damaged")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    + _chunk(b"IEND", b"")
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (BOMB, "image-too-many-pixels"),
        (b"#!/bin/sh\n", "image-unknown-format"),
        (b"\xff\xd8\xff\xe0", "image-truncated"),
    ],
)
@pytest.mark.parametrize("key", UNARY)
def test_bytes_that_are_no_usable_image_are_an_invalid_argument(
    hosted: Hosted, key: str, data: bytes, code: str
) -> None:
    assert refusal(hosted, key, MESSAGES[key](hosted.put(data))) == (grpc.StatusCode.INVALID_ARGUMENT, code)


def test_a_large_image_that_a_step_made_is_read_by_the_next_one(hosted: Hosted) -> None:
    # More bytes than an upload may have; as few pixels as an upload often has.
    large = hosted.put(encode_netpbm(np.zeros((4000, 6000, 3), np.uint8)))
    assert hosted.objects.size(hosted.objects.require_allowed(large.bucket, large.object_key)) > 64 * 1024**2
    made = resized(hosted, large, target_width=60, maintain_aspect_ratio=True)
    assert (made.output_image.width, made.output_image.height) == (60, 40)


@pytest.mark.parametrize("key", UNARY)
def test_random_bytes_are_an_invalid_argument(hosted: Hosted, key: str) -> None:
    rng = np.random.default_rng(11)
    for length in (1, 7, 100, 5_000):
        status, _ = refusal(hosted, key, b"\xff" + rng.bytes(length))
        assert status is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("key", UNARY)
def test_a_truncated_message_is_an_invalid_argument(hosted: Hosted, image: common_pb2.ImageData, key: str) -> None:
    whole = MESSAGES[key](image).SerializeToString()
    for length in range(1, len(whole) - 8, 9):
        status, _ = refusal(hosted, key, whole[:length])
        assert status in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED}


@pytest.mark.parametrize("key", UNARY)
def test_a_message_beyond_the_limit_is_refused(hosted: Hosted, key: str) -> None:
    big = bytes(hosted.settings.grpc_max_message_bytes + 1)
    assert refusal(hosted, key, big) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "")


@pytest.mark.parametrize("extra", ["{", "[]", "7", '{"width": "x"}', "[" * 10_000, '{"enlarge": "maybe"}'])
def test_parameters_in_metadata_that_are_none_are_an_invalid_argument(
    hosted: Hosted, image: common_pb2.ImageData, extra: str
) -> None:
    status, code = refusal(hosted, "resize", MESSAGES["resize"](image), metadata=(("imageflow-parameters", extra),))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert code in {"service-message-malformed", "service-parameter-invalid"}


@pytest.mark.slow
def test_a_deadline_that_has_passed_ends_the_call_at_once(hosted: Hosted) -> None:
    large = hosted.put_image(np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), dtype=np.uint8))
    request = filter_pb2.FilterRequest(input_image=large, filter_type="denoise", parameters={"radius": "50"})
    began = time.monotonic()
    status, _ = refusal(hosted, "filter", request, timeout=0.1)
    assert status is grpc.StatusCode.DEADLINE_EXCEEDED
    # The filter alone takes longer.
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("key", UNARY)
def test_a_service_says_that_it_is_healthy(hosted: Hosted, key: str) -> None:
    asked = common_pb2.HealthCheckRequest(service=SERVICES[key].name)
    answer = common_pb2.HealthCheckResponse.FromString(hosted.ask(key, asked, method="HealthCheck"))
    assert answer.healthy
    assert answer.message.startswith(SERVICES[key].name)


def test_a_service_is_not_healthy_as_another_one(hosted: Hosted) -> None:
    asked = common_pb2.HealthCheckRequest(service="FilterService")
    answer = common_pb2.HealthCheckResponse.FromString(hosted.ask("resize", asked, method="HealthCheck"))
    assert not answer.healthy


def test_health_checks_of_random_bytes_are_an_invalid_argument(hosted: Hosted) -> None:
    status, _ = refusal(hosted, "resize", b"\xff\xff\xff", method="HealthCheck")
    assert status is grpc.StatusCode.INVALID_ARGUMENT


def test_reflection_of_random_bytes_is_an_invalid_argument(hosted: Hosted) -> None:
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    with grpc.insecure_channel(hosted.addresses["resize"]) as channel, pytest.raises(grpc.RpcError) as caught:
        list(channel.stream_stream(path, None, None)(iter([b"\xff\xff"]), timeout=10))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
