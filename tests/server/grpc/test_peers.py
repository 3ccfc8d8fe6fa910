"""Peers that know only the protos, or only an address, call every service."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from shutil import copyfile
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from inspection.imaging.files import encode_jpeg
from server.grpc.contract import CAMERA_STREAM, SERVICES
from tests.support.grpc_services import UNARY, Hosted
from tests.support.video_calls import listening_streams

IMAGE = np.zeros((40, 80, 3), np.uint8)
SUPPORT = Path(__file__).parents[2] / "support"


def from_the_protos_alone(folder: Path, peer: str, *arguments: str) -> Any:
    """What a peer answers that was made in a folder with nothing but the protos."""
    protos = sorted((files("resources") / "protos").iterdir(), key=lambda path: path.name)
    for proto in protos:
        copyfile(str(proto), folder / proto.name)
    names = [proto.name for proto in protos]
    compiler = [sys.executable, "-P", "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--grpc_python_out=.", *names]
    subprocess.run(compiler, cwd=folder, check=True, capture_output=True)
    copyfile(SUPPORT / f"{peer}.py", folder / "peer.py")
    command = [sys.executable, "peer.py", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 0, ended.stderr
    return ast.literal_eval(ended.stdout)


@pytest.mark.slow
def test_stubs_made_from_the_protos_alone_call_every_unary_service(hosted: Hosted, tmp_path: Path) -> None:
    image = hosted.put_image(IMAGE)
    addresses = [hosted.addresses[key] for key in UNARY]
    answers = from_the_protos_alone(tmp_path, "grpc_peer", image.bucket, image.object_key, *addresses)
    assert answers == ["32x16", True, ["a"], True, "PROCESSING_STATUS_COMPLETED", True, []]


@pytest.mark.slow
def test_stubs_made_from_the_protos_alone_send_a_stream(tmp_path: Path) -> None:
    service, peer = tmp_path / "service", tmp_path / "peer"
    service.mkdir()
    peer.mkdir()
    (peer / "frame.jpg").write_bytes(encode_jpeg(IMAGE))
    with listening_streams(service) as running:
        answers = from_the_protos_alone(peer, "grpc_stream_peer", running.address, "detecting", "frame.jpg")
    assert answers == (True, [True], [1], [])


@pytest.mark.parametrize("key", UNARY)
def test_reflection_alone_is_enough_to_call_a_service(hosted: Hosted, key: str) -> None:
    image = hosted.put_image(IMAGE)
    with grpc.insecure_channel(hosted.addresses[key]) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert SERVICES[key].full_name in database.get_services()
        pool = descriptor_pool.DescriptorPool(database)
        method = pool.FindServiceByName(SERVICES[key].full_name).methods_by_name[SERVICES[key].method]
        request = message_factory.GetMessageClass(method.input_type)()
        request.input_image.bucket, request.input_image.object_key = image.bucket, image.object_key
        if key == "resize":
            request.target_width = request.target_height = 16
        answered = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(SERVICES[key].path(), None, answered.FromString)
        assert call(request.SerializeToString(), timeout=30).result.status == 3


def test_reflection_alone_is_enough_to_send_a_stream(tmp_path: Path) -> None:
    with listening_streams(tmp_path) as running, grpc.insecure_channel(running.address) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName(CAMERA_STREAM.full_name).methods_by_name[CAMERA_STREAM.method]
        assert (method.client_streaming, method.server_streaming) == (True, True)
        frame = message_factory.GetMessageClass(method.input_type)(frame_data=encode_jpeg(IMAGE), timestamp_ms=1)
        frame.metadata["pipeline_id"] = "blurring"
        answered = message_factory.GetMessageClass(method.output_type)
        call = channel.stream_stream(CAMERA_STREAM.path(), None, answered.FromString)
        answers = [answer for answer in call(iter([frame.SerializeToString()]), timeout=60) if answer.processed_data]
    assert len(answers) == 1
