"""The protos are the contract of clients in other languages: names, numbers and types do not change."""

from __future__ import annotations

import importlib

import pytest
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor

FILES = ("common", "resize", "ai_detection", "filter", "camera_stream")
NAMES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_DOUBLE: "double",
}
MESSAGES = {
    "ImageData": "1 bucket string, 2 object_key string, 3 content_type string, 4 size_bytes int64, 5 width int32, "
    "6 height int32, 7 created_at Timestamp",
    "ImageBytes": "1 data bytes, 2 format string, 3 width int32, 4 height int32",
    "ProcessingResult": "1 status ProcessingStatus, 2 message string, 3 output_image ImageData, "
    "4 metadata map<string, string>, 5 processed_at Timestamp, 6 processing_time_seconds double, 7 output_data bytes",
    "HealthCheckRequest": "1 service string",
    "HealthCheckResponse": "1 healthy bool, 2 message string",
    "ResizeRequest": "1 input_image ImageData, 2 target_width int32, 3 target_height int32, 4 resize_mode string, "
    "5 maintain_aspect_ratio bool",
    "ResizeResponse": "1 result ProcessingResult",
    "DetectionRequest": "1 input_image ImageData, 2 model_name string, 3 confidence_threshold float, "
    "4 target_classes repeated string",
    "DetectionResponse": "1 result ProcessingResult, 2 detections repeated Detection",
    "Detection": "1 class_name string, 2 confidence float, 3 bbox BoundingBox",
    "BoundingBox": "1 x float, 2 y float, 3 width float, 4 height float",
    "FilterRequest": "1 input_image ImageData, 2 filter_type string, 3 parameters map<string, string>",
    "FilterResponse": "1 result ProcessingResult",
    "VideoFrame": "1 frame_data bytes, 2 timestamp_ms int64, 3 metadata map<string, string>",
    "ProcessedFrame": "1 processed_data bytes, 2 detections repeated Detection, 3 processing_time_ms int64, "
    "4 processing_stats map<string, string>",
}
CALLS = {
    "ResizeService.Resize": "ResizeRequest → ResizeResponse",
    "ResizeService.HealthCheck": "HealthCheckRequest → HealthCheckResponse",
    "AIDetectionService.Detect": "DetectionRequest → DetectionResponse",
    "AIDetectionService.HealthCheck": "HealthCheckRequest → HealthCheckResponse",
    "FilterService.ApplyFilter": "FilterRequest → FilterResponse",
    "FilterService.HealthCheck": "HealthCheckRequest → HealthCheckResponse",
    "CameraStreamService.ProcessVideoStream": "stream VideoFrame → stream ProcessedFrame",
    "CameraStreamService.HealthCheck": "HealthCheckRequest → HealthCheckResponse",
}


def of_file(name: str) -> FileDescriptor:
    found = importlib.import_module(f"server.grpc.stubs.{name}_pb2").DESCRIPTOR
    assert isinstance(found, FileDescriptor)
    return found


def described(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields_by_number[1], field.message_type.fields_by_number[2]
        return f"{field.number} {field.name} map<{NAMES[key.type]}, {NAMES[value.type]}>"
    named = field.message_type or field.enum_type
    kind = NAMES[field.type] if named is None else named.name
    return f"{field.number} {field.name} {'repeated ' if field.is_repeated else ''}{kind}"


def test_every_message_has_the_fields_of_the_contract() -> None:
    found = {
        message.name: ", ".join(described(field) for field in sorted(message.fields, key=lambda field: field.number))
        for name in FILES
        for message in of_file(name).message_types_by_name.values()
    }
    assert found == MESSAGES


def test_every_service_has_the_calls_of_the_contract() -> None:
    def side(name: str, *, streams: bool) -> str:
        return f"stream {name}" if streams else name

    found = {
        f"{service.name}.{call.name}": f"{side(call.input_type.name, streams=call.client_streaming)} → "
        f"{side(call.output_type.name, streams=call.server_streaming)}"
        for name in FILES
        for service in of_file(name).services_by_name.values()
        for call in service.methods
    }
    assert found == CALLS


def test_statuses_have_the_numbers_of_the_contract() -> None:
    found = of_file("common").enum_types_by_name["ProcessingStatus"].values_by_name
    names = ("UNSPECIFIED", "PENDING", "RUNNING", "COMPLETED", "FAILED")
    expected = {f"PROCESSING_STATUS_{name}": number for number, name in enumerate(names)}
    assert {name: value.number for name, value in found.items()} == expected


@pytest.mark.parametrize("name", FILES)
def test_the_package_of_a_proto_is_that_of_the_contract(name: str) -> None:
    assert (of_file(name).package, of_file(name).name) == ("imageflow.v1", f"{name}.proto")
