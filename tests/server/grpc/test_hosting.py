"""Services listen where they should, and let in who they should."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from inspection.components.registry import InspectionCancelled, component
from inspection.imaging.files import DEFAULT_LIMITS
from models.errors import InvalidInput, Unavailable
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM, SERVICES
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.images import Images
from server.grpc.models import ModelShelf
from server.grpc.security import channel_credentials
from server.grpc.stubs import common_pb2, resize_pb2
from server.grpc.work import StepWork
from server.objects.store import ObjectStore
from tests.support.certificates import Authority
from tests.support.grpc_services import Hosted, hosting

SECRET = "s" * 32
EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused, or for a moment
HEALTH = "/grpc.health.v1.Health/Check"


def asked(hosted: Hosted, channel: grpc.Channel, *secret: str) -> grpc.StatusCode:
    image = hosted.put_image(np.zeros((4, 4, 3), np.uint8))
    request = resize_pb2.ResizeRequest(input_image=image, target_width=2, target_height=2)
    call = channel.unary_unary(SERVICES["resize"].path(), None, None)
    try:
        call(request.SerializeToString(), timeout=10, metadata=[("authorization", text) for text in secret])
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("secret", "status"),
    [
        ((f"Bearer {SECRET}",), grpc.StatusCode.OK),
        ((), grpc.StatusCode.UNAUTHENTICATED),
        ((SECRET,), grpc.StatusCode.UNAUTHENTICATED),
        ((f"Bearer {SECRET[:-1]}t",), grpc.StatusCode.UNAUTHENTICATED),
        (("Bearer ",), grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_only_who_knows_the_secret_is_answered(
    tmp_path: Path, secret: tuple[str, ...], status: grpc.StatusCode
) -> None:
    with (
        hosting(tmp_path, ("resize",), grpc_secret=SECRET) as hosted,
        grpc.insecure_channel(hosted.addresses["resize"]) as channel,
    ):
        assert asked(hosted, channel, *secret) is status


def test_reflection_needs_the_secret(tmp_path: Path) -> None:
    with (
        hosting(tmp_path, ("resize",), grpc_secret=SECRET) as hosted,
        grpc.insecure_channel(hosted.addresses["resize"]) as channel,
    ):
        path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        with pytest.raises(grpc.RpcError) as caught:
            next(channel.stream_stream(path, None, None)(iter([b""]), timeout=10))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_probes_of_health_need_no_secret(tmp_path: Path) -> None:
    with (
        hosting(tmp_path, ("resize",), grpc_secret=SECRET) as hosted,
        grpc.insecure_channel(hosted.addresses["resize"]) as channel,
    ):
        request = health_pb2.HealthCheckRequest(service=SERVICES["resize"].full_name)
        data = channel.unary_unary(HEALTH, None, None)(request.SerializeToString(), timeout=10)
        assert health_pb2.HealthCheckResponse.FromString(data).status == health_pb2.HealthCheckResponse.SERVING


def over_tls(hosted: Hosted, credentials: grpc.ChannelCredentials) -> grpc.StatusCode:
    options = [("grpc.ssl_target_name_override", "services")]
    with grpc.secure_channel(hosted.addresses["resize"], credentials, options) as channel:
        return asked(hosted, channel)


def test_a_client_that_knows_the_authority_is_answered_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.sign("services")
    files = {"grpc_tls_cert": own.certificate, "grpc_tls_key": own.key}
    with hosting(tmp_path, ("resize",), **files) as hosted:
        known = channel_credentials(ServerSettings(grpc_tls_ca=authority.certificate))
        assert over_tls(hosted, known) is grpc.StatusCode.OK
        stranger = Authority(tmp_path, "stranger").certificate
        unknown = channel_credentials(ServerSettings(grpc_tls_ca=stranger))
        assert over_tls(hosted, unknown) is grpc.StatusCode.UNAVAILABLE


def test_a_client_without_a_certificate_of_the_authority_is_not_answered(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, client = authority.sign("services"), authority.sign("client")
    files = {"grpc_tls_cert": own.certificate, "grpc_tls_key": own.key, "grpc_tls_ca": authority.certificate}
    with hosting(tmp_path, ("resize",), **files) as hosted:
        without = channel_credentials(ServerSettings(grpc_tls_ca=authority.certificate))
        assert over_tls(hosted, without) is grpc.StatusCode.UNAVAILABLE
        given = {"grpc_tls_cert": client.certificate, "grpc_tls_key": client.key}
        known = channel_credentials(ServerSettings(grpc_tls_ca=authority.certificate, **given))
        assert over_tls(hosted, known) is grpc.StatusCode.OK


def host_of(folder: Path, **given: object) -> ServiceHost:
    settings = ServerSettings(data_dir=folder, **{"grpc_port": 0, **given})
    parts = Parts(settings, ObjectStore(settings.objects), ModelShelf({}))
    return ServiceHost([service for service in SERVICES.values() if service is not CAMERA_STREAM], parts)


def started(host: ServiceHost) -> None:
    async def main() -> None:
        await host.start()
        await host.stop(0)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "service-open-host"),
        ({"insecure": True}, "service-open-host"),
        ({"grpc_secret": SECRET}, "service-insecure-host"),
    ],
)
def test_an_open_address_needs_protection(tmp_path: Path, given: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        started(host_of(tmp_path, grpc_host=EVERYWHERE, **given))
    assert caught.value.code == code


def test_an_authority_without_a_certificate_protects_no_open_address(tmp_path: Path) -> None:
    authority = Authority(tmp_path).certificate
    with pytest.raises(InvalidInput) as caught:
        started(host_of(tmp_path, grpc_host=EVERYWHERE, grpc_tls_ca=authority, insecure=True))
    assert caught.value.code == "service-open-host"


@pytest.mark.parametrize("wrong", ["grpc_tls_cert", "grpc_tls_key", "grpc_tls_ca"])
def test_a_file_that_is_no_pem_is_not_taken_for_a_taken_port(tmp_path: Path, wrong: str) -> None:
    authority = Authority(tmp_path)
    own, garbage = authority.sign("services"), tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    files = {"grpc_tls_cert": own.certificate, "grpc_tls_key": own.key, "grpc_tls_ca": authority.certificate}
    with pytest.raises(InvalidInput) as caught:
        started(host_of(tmp_path, **{**files, wrong: garbage}))
    assert caught.value.code == "server-tls-files"


@pytest.mark.parametrize("missing", ["grpc_tls_cert", "grpc_tls_key", "grpc_tls_ca"])
def test_the_file_is_named_that_is_missing(tmp_path: Path, missing: str) -> None:
    authority = Authority(tmp_path)
    own, nothing = authority.sign("services"), tmp_path / "nothing.pem"
    files = {"grpc_tls_cert": own.certificate, "grpc_tls_key": own.key, "grpc_tls_ca": authority.certificate}
    with pytest.raises(InvalidInput) as caught:
        started(host_of(tmp_path, **{**files, missing: nothing}))
    assert str(caught.value.values["reason"]).startswith(f"{nothing}: ")


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, other = authority.sign("services"), authority.sign("other")
    with pytest.raises(InvalidInput) as caught:
        started(host_of(tmp_path, grpc_tls_cert=own.certificate, grpc_tls_key=other.key))
    assert caught.value.code == "server-tls-files"


def test_an_open_address_in_clear_is_allowed_on_purpose(tmp_path: Path) -> None:
    started(host_of(tmp_path, grpc_host=EVERYWHERE, grpc_secret=SECRET, insecure=True))


def test_no_service_listens_when_the_port_of_one_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        last = taken.getsockname()[1]
        host = host_of(tmp_path, grpc_port=last - 2)
        with pytest.raises(Unavailable) as caught:
            started(host)
        assert caught.value.code == "service-port-taken"
    # The ports of those that could have listened are free again.
    for port in (last - 2, last - 1):
        with socket.socket() as free:
            assert free.connect_ex(("127.0.0.1", port)) != 0


def test_processes_of_one_server_share_their_ports(tmp_path: Path) -> None:
    async def main() -> None:
        settings = ServerSettings(data_dir=tmp_path, grpc_port=0)
        parts = Parts(settings, ObjectStore(settings.objects), ModelShelf({}))
        first = ServiceHost([SERVICES["resize"]], parts, share_ports=True)
        port = int((await first.start())["resize"].rpartition(":")[2])
        second = ServiceHost([SERVICES["resize"]], parts, port=port, share_ports=True)
        assert await second.start() == first.addresses
        await first.stop(0)
        await second.stop(0)

    asyncio.run(main())


def test_work_that_was_cancelled_stores_nothing(tmp_path: Path) -> None:
    objects = ObjectStore(tmp_path.as_uri())
    cancel = threading.Event()
    cancel.set()
    resize = component("resize")
    image = common_pb2.ImageData(bucket=objects.bucket, object_key=f"aa/aa/{'a' * 64}")
    with pytest.raises(InspectionCancelled):
        StepWork(Images(objects, DEFAULT_LIMITS), ModelShelf({})).run(resize, resize.parameters(), image, cancel)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
