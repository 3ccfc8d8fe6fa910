"""Messages that a connection sends past the layers of the application: the same bytes, and the same refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.protocol import OPEN, State

from server.http.websocket_protocol import CloseCode, WebSocketConnection, WebSocketLimits, websocket_class


class Written:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing happens."""

    abort = close


def run(act: Callable[[WebSocketConnection, Written], Awaitable[None]], *, accepted: bool = True) -> Written:
    """Act on a connection and return what was written."""

    async def main() -> Written:
        config = Config(app=cast("Any", None), log_config=None, interface="asgi3")
        config.loaded = True
        config.loaded_app = None
        kind = websocket_class(WebSocketLimits(10.0))
        connection = kind(config=config, server_state=ServerState(), app_state={})
        transport = Written()
        connection.transport = cast("asyncio.Transport", transport)
        if accepted:
            connection.handshake_complete = True
            connection.conn.state = OPEN
            connection._decide()
        await act(connection, transport)
        return transport

    return asyncio.run(main())


def test_a_message_is_the_same_frame_either_way() -> None:
    async def through(connection: WebSocketConnection, transport: Written) -> None:
        await connection.send({"type": "websocket.send", "text": "日本"})
        await connection.send({"type": "websocket.send", "bytes": b"\x00\xff"})

    async def past(connection: WebSocketConnection, transport: Written) -> None:
        await connection.send_text("日本".encode())
        await connection.send_bytes(b"\x00\xff")

    assert run(past).data == run(through).data != b""


def test_nothing_is_sent_after_the_end() -> None:
    async def dropped(connection: WebSocketConnection, transport: Written) -> None:
        connection.drop(CloseCode.POLICY)
        before = transport.data
        for send in (connection.send_text, connection.send_bytes):
            with pytest.raises(ClientDisconnected):
                await send(b"x")
        assert transport.data == before

    async def gone(connection: WebSocketConnection, transport: Written) -> None:
        connection.disconnected = True
        with pytest.raises(ClientDisconnected):
            await connection.send_text(b"x")

    async def closing(connection: WebSocketConnection, transport: Written) -> None:
        connection.conn.state = State.CLOSING
        with pytest.raises(ClientDisconnected):
            await connection.send_text(b"x")

    run(dropped)
    for act in (gone, closing):
        assert run(act).data == b""


def test_nothing_is_sent_before_the_handshake() -> None:
    async def early(connection: WebSocketConnection, transport: Written) -> None:
        with pytest.raises(RuntimeError):
            await connection.send_text(b"x")

    assert run(early, accepted=False).data == b""


def test_a_message_that_waited_for_room_looks_again_whether_it_can_be_sent() -> None:
    async def full(connection: WebSocketConnection, transport: Written) -> None:
        connection.writable.clear()
        sending = [asyncio.ensure_future(connection.send_text(text)) for text in (b"a", b"b")]
        await asyncio.sleep(0)
        assert transport.data == b""
        connection.writable.set()
        await sending[0]
        connection.writable.clear()
        late = asyncio.ensure_future(connection.send_text(b"c"))
        await asyncio.sleep(0)
        connection.disconnected = True
        connection.writable.set()
        with pytest.raises(ClientDisconnected):
            await late

    assert run(full).data == b"\x81\x01a\x81\x01b"
