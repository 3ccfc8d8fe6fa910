"""A server that is attacked refuses with the right code, and answers everybody else as before."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from models.storage import sha256_of
from server.grpc.contract import FILTER
from server.grpc.stubs import common_pb2, filter_pb2, resize_pb2
from server.http.websocket_protocol import CloseCode
from tests.support.attacked import Attacked, attacked_server, close_code, frame, png_that_claims
from tests.support.executing import jpeg
from tests.support.grpc_services import PlantedReplica, hosting, running_loop

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SPEED_S = 3.0
"""Of a request that takes milliseconds: far more than it takes on a busy machine, far less than an attack lasts."""
SERVED = ("resize", "ai-detection", "filter")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked_server(tmp_path_factory.mktemp("attacked")) as running:
        yield running
        # Whatever was done to it: it takes and ends an execution.
        state = running.ended(running.start(running.pipeline()))
        assert state["status"] == "completed"


@pytest.mark.parametrize("service", SERVED)
def test_masses_of_random_messages_slow_nobody(attacked: Attacked, service: str) -> None:
    rng = random.Random(7)  # noqa: S311 - no secret

    def attack() -> set[grpc.StatusCode]:
        return {attacked.ask(service, rng.randbytes(rng.randrange(1, 4_000))) for _ in range(150)}

    statuses, slowest = attacked.beside(attack)
    assert statuses == {grpc.StatusCode.INVALID_ARGUMENT}
    assert slowest < SPEED_S


def test_messages_cut_anywhere_slow_nobody(attacked: Attacked) -> None:
    image = common_pb2.ImageData(bucket="imageflow", object_key="ab/cd/" + "ab" * 32, content_type="image/png")
    whole = resize_pb2.ResizeRequest(input_image=image, target_width=8, target_height=8).SerializeToString()

    def attack() -> set[grpc.StatusCode]:
        return {attacked.ask("resize", whole[:length]) for length in range(len(whole))}

    statuses, slowest = attacked.beside(attack)
    refused = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}
    assert statuses <= refused
    assert slowest < SPEED_S


def test_oversized_messages_slow_nobody(attacked: Attacked) -> None:
    huge = filter_pb2.FilterRequest(filter_type="x" * (32 * 1024 * 1024)).SerializeToString()
    statuses, slowest = attacked.beside(lambda: {attacked.ask("filter", huge) for _ in range(5)})
    assert statuses == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert slowest < SPEED_S


BOMBS = {
    "by its header": png_that_claims(60_000, 60_000),
    "of one colour": png_that_claims(20_000, 20_000, rows=400),
    "of one row": png_that_claims(2**31 - 1, 1),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_an_image_bomb_is_refused_by_its_header(attacked: Attacked, bomb: bytes) -> None:
    pipeline = attacked.pipeline()

    def attack() -> set[tuple[int, str]]:
        answers = [attacked.post(pipeline, ("bomb.png", bomb)) for _ in range(5)]
        answers += [attacked.served["admin"].post("/files", files={"file": ("b.png", bomb, "image/png")})]
        return {attacked.code(answer) for answer in answers}

    refusals, slowest = attacked.beside(attack)
    assert refusals <= {(400, "image-too-many-pixels"), (400, "image-damaged")}
    assert slowest < SPEED_S


def test_an_image_bomb_in_the_object_store_is_refused_by_the_service(attacked: Attacked) -> None:
    bomb = BOMBS["by its header"]
    attacked.objects.put(sha256_of(bomb), bomb)
    image = common_pb2.ImageData(object_key=attacked.objects.object_key(sha256_of(bomb)))
    request = filter_pb2.FilterRequest(input_image=image).SerializeToString()
    status, slowest = attacked.beside(lambda: attacked.ask("filter", request))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert slowest < SPEED_S


@pytest.mark.parametrize(("path", "field"), [("/executions", "priority"), ("/files", "note")])
def test_forms_of_ten_thousand_parts_slow_nobody(attacked: Attacked, path: str, field: str) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\nlow\r\n'
    body = (part * 10_000 + "--x--\r\n").encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    def attack() -> set[int]:
        return {attacked.served["inspector"].post(path, content=body, headers=headers).status_code for _ in range(10)}

    statuses, slowest = attacked.beside(attack)
    assert statuses <= {400, 413}
    assert slowest < SPEED_S


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "image/png", "../../etc"])
def test_what_an_upload_says_it_is_decides_nothing(attacked: Attacked, kind: str) -> None:
    answer = attacked.served["inspector"].post("/files", files={"file": ("page.html", jpeg(), kind)})
    assert (answer.status_code, answer.json()["content_type"]) == (201, "image/jpeg")
    served = attacked.served["inspector"].get(f"/files/{answer.json()['id']}")
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("opcode", [1, 9], ids=["text", "ping"])
def test_a_flood_of_websocket_frames_slows_nobody(attacked: Attacked, opcode: int) -> None:
    def attack() -> int:
        with attacked.websocket() as connection:
            try:
                for _ in range(200):
                    connection.sendall(frame(b"", opcode=opcode) * 100)
            except OSError:
                pass  # The server has ended it meanwhile.
            return close_code(connection)

    code, slowest = attacked.beside(attack)
    assert code in {CloseCode.POLICY, 0}  # 0: it was reset before the last of what was sent arrived
    assert slowest < SPEED_S


def test_frames_of_100_megabytes_slow_nobody(attacked: Attacked) -> None:
    head = b"\x82\xff" + struct.pack("!Q", 100 * 1024 * 1024) + b"\0\0\0\0"

    def attack() -> set[int]:
        codes = set()
        for _ in range(5):
            with attacked.websocket() as connection:
                connection.sendall(head + bytes(1_000))
                codes.add(close_code(connection))
        return codes

    codes, slowest = attacked.beside(attack)
    assert codes <= {1009, 0}
    assert slowest < SPEED_S


def test_half_open_connections_slow_nobody(attacked: Attacked) -> None:
    host, port = attacked.served.url.removeprefix("http://").split(":")
    token = attacked.served["admin"].headers["Authorization"]
    halves = (
        b"",
        b"GET /api/v1/executions HTTP/1.1\r\nHost: x\r\n",
        f"POST /api/v1/executions HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 1000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode(),
    )
    with ExitStack() as opened:

        def attack() -> int:
            for number in range(150):
                connection = socket.create_connection((host, int(port)), timeout=10)
                opened.enter_context(connection)
                connection.sendall(halves[number % len(halves)])
            for service in SERVED:
                host_of_service, port_of_service = attacked.services[service].split(":")
                for _ in range(20):
                    half = socket.create_connection((host_of_service, int(port_of_service)), timeout=10)
                    opened.enter_context(half)
                    half.sendall(b"PRI * HTTP/2.0\r\n")
            return 150

        opened_at_once, slowest = attacked.beside(attack, least=40)
        state = attacked.ended(attacked.start(attacked.pipeline()))
    assert opened_at_once == 150
    assert slowest < SPEED_S
    assert state["status"] == "completed"


def test_a_pipeline_of_a_missing_model_is_refused_by_name(attacked: Attacked) -> None:
    step = {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "gone"}}
    pipeline = attacked.pipeline(step)
    refusals, slowest = attacked.beside(lambda: {attacked.code(attacked.post(pipeline, ("a.jpg", jpeg())))})
    assert refusals == {(422, "execution-model-missing")}
    assert slowest < SPEED_S


async def garbage(_data: bytes, _context: object) -> bytes:
    return b"\xff\xfe not a message"


async def hanging(_data: bytes, _context: object) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def empty(_data: bytes, _context: object) -> bytes:
    return b""


Answer = Callable[[bytes, Any], Awaitable[bytes]]


@contextmanager
def with_a_filter_that(folder: Path, answer: Answer) -> Iterator[Attacked]:
    """Start a server whose filter service is one that a test planted."""

    async def started() -> PlantedReplica:
        return await PlantedReplica(FILTER, answer).__aenter__()

    with running_loop() as run:
        planted = run(started())
        try:
            with attacked_server(folder, IMAGEFLOW_SERVER_GRPC_FILTER=planted.address) as running:
                yield running
        finally:
            run(planted.stop())


@pytest.mark.parametrize("answer", [garbage, empty], ids=["garbage", "nothing"])
def test_an_execution_ends_completed_though_its_service_answers_garbage(tmp_path: Path, answer: Answer) -> None:
    with with_a_filter_that(tmp_path, answer) as attacked:
        execution = attacked.start(attacked.pipeline())
        state, slowest = attacked.beside(lambda: attacked.ended(execution))
    assert (state["status"], state["execution_mode"]) == ("completed", "kafka_fallback")
    assert slowest < SPEED_S


def test_a_service_that_hangs_holds_up_no_execution_without_it(tmp_path: Path) -> None:
    with with_a_filter_that(tmp_path, hanging) as attacked:
        stuck = attacked.start(attacked.pipeline())
        resize = {"id": "small", "component": "resize", "inputs": {"image": "input"}}
        free = attacked.pipeline({**resize, "parameters": {"width": 8, "height": 8}})
        state, slowest = attacked.beside(lambda: attacked.ended(attacked.start(free)))
        assert (state["status"], state["execution_mode"]) == ("completed", "direct_grpc")
        assert attacked.state(stuck)["status"] in {"pending", "running"}
        assert attacked.served["admin"].post(f"/executions/{stuck}/cancel").status_code == 200
        assert attacked.ended(stuck)["status"] == "cancelled"
    assert slowest < SPEED_S


def test_a_service_that_answers_slowly_is_waited_for(tmp_path: Path) -> None:
    with hosting(tmp_path, ("filter",)) as good:

        async def slowly(data: bytes, context: Any) -> bytes:
            await asyncio.sleep(2)
            metadata = context.invocation_metadata()
            return await asyncio.to_thread(good.ask, "filter", data, metadata=metadata)

        with with_a_filter_that(tmp_path, slowly) as attacked:
            execution = attacked.start(attacked.pipeline())
            state, slowest = attacked.beside(lambda: attacked.ended(execution))
    assert (state["status"], state["execution_mode"]) == ("completed", "direct_grpc")
    assert state["processing_time_ms"] > 2_000
    assert slowest < SPEED_S
