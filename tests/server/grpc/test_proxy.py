"""Ports whose services are started for the first caller."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import structlog
from grpc_health.v1 import health_pb2
from structlog.testing import LogCapture

from models.errors import Unavailable
from server.core.settings import ServerSettings
from server.grpc import proxy as proxy_module
from server.grpc.contract import FILTER, RESIZE
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.ports import port_taken
from server.grpc.proxy import ServiceProxy, ended
from server.objects.store import ObjectStore
from server.services.first_use import FirstUse

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if sys.platform != "win32":  # There the server has asyncio's.
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop
Run = Callable[[Coroutine[Any, Any, Any]], Any]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which socket of a port gets a caller")
CHECK = "/grpc.health.v1.Health/Check"
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What runs a coroutine in a loop of each kind, and fails when an error in it has reached nobody."""
    # It hides an error that nobody has seen, unless the garbage collector takes its future first.
    monkeypatch.delattr(asyncio.StreamReaderProtocol, "__del__", raising=False)

    def run_in_loop(main: Coroutine[Any, Any, Any]) -> Any:
        unhandled: list[Any] = []
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            found = runner.run(main)
            gc.collect()
        assert unhandled == []
        return found

    return run_in_loop


class Waiting:
    """Two services behind a proxy, which are started for the first caller."""

    def __init__(self, folder: Path, host: str) -> None:
        settings = ServerSettings(data_dir=folder, grpc_port=0, grpc_host=host)
        self.parts = Parts(settings, ObjectStore(settings.objects), ModelShelf({}))
        self.starts = 0
        self.failures = 0
        self.proxy = ServiceProxy(settings.grpc_host, FirstUse("services", self._start, pause_s=0))
        self.host: ServiceHost | None = None

    @property
    def addresses(self) -> dict[str, str]:
        return self.proxy.addresses

    async def _start(self) -> None:
        self.starts += 1
        self.host = ServiceHost([RESIZE, FILTER], self.parts, also_at=self.proxy.share())
        self.proxy.forward_to({key: port_of(address) for key, address in (await self.host.start()).items()})
        self.proxy.step_aside()
        if self.starts <= self.failures:
            await self.stop()
            raise port_taken(RESIZE, "127.0.0.1", 1, of_command=False)

    async def stop(self) -> None:
        if self.host is not None:
            self.proxy.forward_to({})
            await self.host.stop(0)


@asynccontextmanager
async def waiting(folder: Path, host: str = "127.0.0.1") -> AsyncIterator[Waiting]:
    made = Waiting(folder, host)
    for service in (RESIZE, FILTER):
        await made.proxy.listen(service, 0)
    try:
        yield made
    finally:
        await made.stop()
        await made.proxy.close()


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@asynccontextmanager
async def called(address: str) -> AsyncIterator[Callable[[], Coroutine[Any, Any, int]]]:
    """A connection over which a service was asked once; gives what asks it again."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        call = channel.unary_unary(CHECK, bytes, bytes)

        async def ask() -> int:
            return health_pb2.HealthCheckResponse.FromString(await call(b"", timeout=20)).status

        assert await ask() == SERVING
        yield ask


async def health_at(address: str) -> int:
    async with called(address):
        return SERVING


def test_the_first_caller_is_answered_by_the_service_that_it_has_started(tmp_path: Path, run: Run) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            assert made.starts == 0
            assert await health_at(made.addresses["filter"]) == SERVING
            assert made.starts == 1

    run(main())


def test_callers_that_come_together_are_all_answered(tmp_path: Path, run: Run) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            callers = [health_at(made.addresses[key]) for key in ("resize", "filter") * 10]
            assert await asyncio.gather(*callers) == [SERVING] * 20
            assert made.starts == 1

    run(main())


def test_a_connection_that_was_passed_on_takes_one_call_after_another(tmp_path: Path, run: Run) -> None:
    async def main() -> list[int]:
        async with waiting(tmp_path) as made, grpc.aio.insecure_channel(made.addresses["resize"]) as channel:
            call = channel.unary_unary(CHECK, bytes, bytes)
            answers = [await call(b"", timeout=20) for _ in range(3)]
        return [health_pb2.HealthCheckResponse.FromString(answer).status for answer in answers]

    assert run(main()) == [SERVING] * 3


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_callers_of_services_that_run_do_not_pass_the_proxy(tmp_path: Path, run: Run, host: str) -> None:
    async def main() -> None:
        async with waiting(tmp_path, host) as made:
            await health_at(made.addresses["resize"])
            await all_ended(made.proxy)
            for _ in range(20):
                async with called(made.addresses["resize"]):
                    assert not made.proxy._connections

    run(main())


@linux
def test_a_caller_from_before_the_services_ran_goes_on_beside_later_ones(tmp_path: Path, run: Run) -> None:
    async def main() -> None:
        async with (
            waiting(tmp_path) as made,
            called(made.addresses["resize"]) as again,
            called(made.addresses["resize"]),
        ):
            assert await again() == SERVING
            assert len(made.proxy._connections) == 1

    run(main())


@linux
def test_a_caller_that_comes_after_services_that_ended_at_once_starts_them_again(tmp_path: Path, run: Run) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            made.failures = 1
            with pytest.raises(grpc.aio.AioRpcError):
                await health_at(made.addresses["filter"])
            made.failures = made.starts
            assert await health_at(made.addresses["filter"]) == SERVING
            await all_ended(made.proxy)
            async with called(made.addresses["filter"]):
                assert not made.proxy._connections

    run(main())


def test_no_caller_is_refused_while_the_services_start(tmp_path: Path, run: Run) -> None:
    async def call_again_and_again(address: str) -> list[int]:
        return [await health_at(address) for _ in range(10)]

    async def main() -> None:
        async with waiting(tmp_path) as made:
            callers = [call_again_and_again(made.addresses["resize"]) for _ in range(8)]
            assert await asyncio.gather(*callers) == [[SERVING] * 10] * 8

    run(main())


def test_callers_go_on_passing_the_proxy_where_a_port_cannot_be_shared(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy_module, "let_share", lambda _: False)

    async def main() -> None:
        async with waiting(tmp_path) as made:
            for _ in range(3):
                async with called(made.addresses["resize"]):
                    assert len(made.proxy._connections) == 1
                await all_ended(made.proxy)

    run(main())


@pytest.mark.parametrize("running", [False, True])
def test_a_port_of_a_service_that_waits_or_runs_is_taken_for_others(tmp_path: Path, run: Run, running: bool) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            if running:
                await health_at(made.addresses["resize"])
            with pytest.raises(Unavailable) as caught:
                await ServiceProxy("127.0.0.1", made.proxy._start).listen(RESIZE, port_of(made.addresses["resize"]))
            assert caught.value.code == "service-port-taken"

    run(main())


def test_a_caller_of_services_that_cannot_start_is_disconnected(run: Run) -> None:
    async def start() -> None:
        raise port_taken(RESIZE, "127.0.0.1", 1, of_command=False)

    async def main() -> bytes:
        proxy = ServiceProxy("127.0.0.1", FirstUse("services", start))
        await proxy.listen(RESIZE, 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(proxy.addresses["resize"]))
        async with ended(writer):
            heard = await asyncio.wait_for(reader.read(), 20)
        await proxy.close()
        return heard

    assert run(main()) == b""


def test_a_caller_of_a_proxy_that_ends_is_disconnected(run: Run) -> None:
    async def start() -> None:
        await asyncio.Event().wait()

    async def main() -> bytes:
        use = FirstUse("services", start)
        proxy = ServiceProxy("127.0.0.1", use)
        await proxy.listen(RESIZE, 0)
        port = port_of(proxy.addresses["resize"])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0)
        await proxy.close()
        await use.stop()
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.1", port)) != 0
        async with ended(writer):
            return await asyncio.wait_for(reader.read(), 20)

    assert run(main()) == b""


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
PIECE = bytes(range(256)) * 256


@asynccontextmanager
async def passed_on_to(answer: Answer) -> AsyncIterator[tuple[ServiceProxy, int]]:
    """A proxy before a plain service, and its port."""

    async def start() -> None:
        proxy.forward_to({RESIZE.key: service.sockets[0].getsockname()[1]})

    answering: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.get_running_loop().create_task(answer(reader, writer)))

    service = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy = ServiceProxy("127.0.0.1", start)
    await proxy.listen(RESIZE, 0)
    try:
        yield proxy, port_of(proxy.addresses[RESIZE.key])
    finally:
        await proxy.close()
        service.close()
        async with asyncio.timeout(20):
            await asyncio.gather(*answering)


def reset(connection: socket.socket) -> None:
    """Close a connection as a process does that is killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


async def all_ended(proxy: ServiceProxy) -> None:
    async with asyncio.timeout(20):
        while proxy._connections:
            await asyncio.wait(proxy._connections)


async def send_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async with ended(writer):
        with suppress(OSError, RuntimeError):
            while not writer.is_closing():
                writer.write(PIECE)
                await writer.drain()


def test_callers_that_reset_their_connection_leave_no_error(run: Run) -> None:
    async def main() -> None:
        async with passed_on_to(send_without_end) as (proxy, port):
            loop = asyncio.get_running_loop()
            for _ in range(40):
                connection = socket.create_connection(("127.0.0.1", port))
                connection.setblocking(False)
                await loop.sock_recv(connection, 1000)
                await loop.sock_sendall(connection, PIECE[:1000])
                reset(connection)
            await all_ended(proxy)

    run(main())


def test_callers_that_close_before_the_answer_leave_no_error(run: Run) -> None:
    async def answer_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with ended(writer):
            await reader.read()
            for _ in range(10):
                if not writer.is_closing():
                    writer.write(PIECE[:1000])
                    await asyncio.sleep(0.002)  # The pace of a stream: each piece meets the end of the one before.

    async def main() -> None:
        async with passed_on_to(answer_slowly) as (proxy, port):
            for _ in range(40):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(PIECE[:1000])
                await asyncio.sleep(0)
            await all_ended(proxy)

    run(main())


def test_a_service_that_resets_a_connection_leaves_no_error(run: Run) -> None:
    async def reset_after_a_piece(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with ended(writer):
            await reader.readexactly(1000)
            writer.transport.abort()

    async def main() -> None:
        async with passed_on_to(reset_after_a_piece) as (proxy, port):
            for _ in range(40):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                await send_without_end(_, writer)
            await all_ended(proxy)

    run(main())


def test_a_caller_that_has_sent_all_still_gets_the_answer(run: Run) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with ended(writer):
            writer.write((await reader.read())[::-1])

    async def main() -> bytes:
        async with passed_on_to(answer_at_the_end) as (proxy, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with ended(writer):
                writer.write(PIECE)
                writer.write_eof()
                heard = await asyncio.wait_for(reader.read(), 20)
            await all_ended(proxy)
        return heard

    assert run(main()) == PIECE[::-1]


def test_a_caller_that_does_not_read_holds_the_service_back(run: Run) -> None:
    pieces = 1024
    sent = asyncio.Event()

    async def send_all(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with ended(writer):
            for _piece in range(pieces):
                writer.write(PIECE)
                await writer.drain()
            sent.set()

    async def main() -> int:
        async with passed_on_to(send_all) as (proxy, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sent.wait(), 0.5)
            size = 0
            async with ended(writer):
                while piece := await reader.read(len(PIECE)):
                    size += len(piece)
            await all_ended(proxy)
        return size

    assert run(main()) == pieces * len(PIECE)


@pytest.mark.parametrize("piece", [b"", PIECE], ids=["end", "piece"])
def test_what_is_left_for_a_closed_connection_is_no_bug(run: Run, piece: bytes) -> None:
    async def main() -> bool:
        async with passed_on_to(send_without_end) as (_, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
            left = asyncio.StreamReader()
            left.feed_data(piece)
            left.feed_eof()
            with suppress(OSError):
                await proxy_module._copy(left, writer)
            return left.at_eof()

    assert run(main())


def test_a_port_that_cannot_be_served_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[socket.socket] = []

    async def fail(*_: Any, sock: socket.socket, **__: Any) -> None:
        given.append(sock)
        raise OSError("planted")

    monkeypatch.setattr(asyncio, "start_server", fail)
    with pytest.raises(OSError, match="planted"):
        asyncio.run(ServiceProxy("127.0.0.1", fail).listen(RESIZE, 0))
    assert [listener.fileno() for listener in given] == [-1]


def test_a_bug_in_a_start_is_written_to_the_log(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written = LogCapture()
    monkeypatch.setattr(
        proxy_module,
        "_log",
        structlog.wrap_logger(None, [written], structlog.make_filtering_bound_logger(logging.INFO)),
    )

    async def start() -> None:
        raise ZeroDivisionError("planted")

    async def main() -> bytes:
        proxy = ServiceProxy("127.0.0.1", start)
        await proxy.listen(RESIZE, 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(proxy.addresses["resize"]))
        async with ended(writer):
            heard = await asyncio.wait_for(reader.read(), 20)
        await all_ended(proxy)
        await proxy.close()
        return heard

    assert run(main()) == b""
    assert [(line["service"], line["exc_info"]) for line in written.entries] == [("resize", True)]
