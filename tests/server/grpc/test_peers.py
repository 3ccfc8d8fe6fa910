"""Peers that know only the protos, or only an address, call every service."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from shutil import copyfile

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from server.grpc.contract import SERVICES
from tests.support.grpc_services import UNARY, Hosted

IMAGE = np.zeros((40, 80, 3), np.uint8)
PEER = Path(__file__).parents[2] / "support" / "grpc_peer.py"


@pytest.mark.slow
def test_stubs_made_from_the_protos_alone_call_every_service(hosted: Hosted, tmp_path: Path) -> None:
    image = hosted.put_image(IMAGE)
    protos = sorted((files("resources") / "protos").iterdir(), key=lambda path: path.name)
    for proto in protos:
        copyfile(str(proto), tmp_path / proto.name)
    names = [proto.name for proto in protos]
    compiler = [sys.executable, "-P", "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--grpc_python_out=.", *names]
    subprocess.run(compiler, cwd=tmp_path, check=True, capture_output=True)
    addresses = [hosted.addresses[key] for key in UNARY]
    copyfile(PEER, tmp_path / "peer.py")
    command = [sys.executable, "peer.py", image.bucket, image.object_key, *addresses]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ast.literal_eval(ended.stdout) == [
        "32x16",
        True,
        ["a"],
        True,
        "PROCESSING_STATUS_COMPLETED",
        True,
        [],
    ]


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
