"""WebSocket connections: how fast frames may come, how large they may be, and clients that do not read or answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, cast

from starlette.types import Scope
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

MESSAGE_BYTES = 64 * 1024
"""Most bytes of a client's message, unless a route takes more."""
_IN_SCOPE = "imageflow.websocket"


class CloseCode(IntEnum):
    """Why the server ends a connection; 1009 (too large) and 1012 (restarts) come from the libraries."""

    ENDED = 1000
    POLICY = 1008
    FAULT = 1011
    SIGN_IN_ENDED = 4401
    TOO_SLOW = 4408


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What a connection may take.

    Attributes:
        unread_s: seconds that a client may leave what it was sent unread.
        frames_per_s: frames of a client, control frames too; for a moment ten times as many.
        last_words_s: seconds for a client to take the close frame, before the connection is cut.
    """

    unread_s: float
    frames_per_s: float = 200.0
    last_words_s: float = 2.0


class _NothingQueued:
    """A queue that nobody gets anything from."""

    def put_nowait(self, event: ASGIReceiveEvent) -> None:
        """Forget the event."""


_NOTHING_QUEUED = _NothingQueued()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A connection with limits; what the application adds to it is found in the scope by ``of_scope``."""

    limits: ClassVar[WebSocketLimits]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._slow: asyncio.TimerHandle | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._allowed = 10 * self.limits.frames_per_s
        self._counted_at = self.loop.time()
        self._lost: Callable[[], object] | None = None
        self._silent = False
        self._decided: asyncio.Future[None] = self.loop.create_future()
        self._handed_over: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None

    async def hand_over(self, serving: Coroutine[Any, Any, None]) -> None:
        """Serve the connection on a task of its own, and return once it is accepted or refused.

        What the frames of all middlewares take would else be kept for each client as long as it is connected.
        """
        self._serving = asyncio.create_task(serving)
        self.tasks.add(self._serving)
        self._serving.add_done_callback(self._served)
        await self._decided
        # A timer that has been cancelled tells uvicorn that the connection shall outlive the application's call.
        self._handed_over = self.close_timer = self.loop.call_later(0, lambda: None)
        self._handed_over.cancel()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """End the application's call."""
        super().on_task_complete(task)
        if self.close_timer is self._handed_over:
            self.close_timer = None
            if self._serving is not None and self._serving.done():
                self.transport.close()

    def _served(self, serving: asyncio.Task[None]) -> None:
        self.tasks.discard(serving)
        self._decide()
        if not serving.cancelled() and (error := serving.exception()) is not None:
            self.logger.error("Exception in ASGI application", exc_info=error)
        if self.close_timer is None:
            self.transport.close()

    def _decide(self) -> None:
        if not self._decided.done():
            self._decided.set_result(None)

    def expect_nothing(self, lost: Callable[[], object]) -> None:
        """Throw away what the client says, and call ``lost`` once when the connection has ended."""
        self._silent = True
        # A queue is 3 KB, which a thousand clients that only listen each have for nothing.
        self.queue = cast("asyncio.Queue[ASGIReceiveEvent]", _NOTHING_QUEUED)
        self._lost = lost
        if self.disconnected:
            lost()

    def accept_bytes(self, most: int) -> None:
        """Set how many bytes a message of the client may have."""
        self.conn.max_message_size = most

    def keep_nothing_back(self) -> None:
        """Let ``room`` and ``send`` wait until the system has taken all that was sent before, instead of most of it."""
        self.transport.set_write_buffer_limits(high=0)

    async def room(self) -> None:
        """Wait until there is room for a message, or the connection has ended."""
        await self.writable.wait()

    def drop(self, code: CloseCode, reason: str = "") -> None:
        """End the connection with a code, also one whose client does not read: it is not waited for."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code), "reason": reason})
        self.conn.send_close(int(code), reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self._cut_soon()

    @property
    def is_open(self) -> bool:
        """Whether something can still be sent."""
        return not (self.close_sent or self.disconnected)

    async def send(self, message: Any) -> None:
        """Send a message of the application.

        Raises:
            ClientDisconnected: when the connection has ended, by the client or by ``drop``.
        """
        await self.writable.wait()
        if not self.is_open:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # A refusal ends the handshake too; uvicorn would report one that was forgotten.
            self.handshake_complete = True
        if self.handshake_complete and not self._decided.done():
            self._decided.set_result(None)
            # Their header fields would be kept as long as the client is connected: the parser still has the request.
            self.request.headers.clear()
            del self.request, self.response

    async def send_text(self, text: bytes) -> None:
        """Send a text message, which is UTF-8: the same as ``send`` without looking for other kinds of messages.

        Raises:
            ClientDisconnected: as ``send``.
        """
        await self._send_frame(self.conn.send_text, text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a message of bytes; see ``send_text``."""
        await self._send_frame(self.conn.send_binary, data)

    async def _send_frame(self, queue: Callable[[bytes], None], data: bytes) -> None:
        if not self.writable.is_set():
            await self.writable.wait()
        if not self.is_open:
            raise ClientDisconnected
        if not self.handshake_complete:
            raise RuntimeError("a message before the handshake is complete")
        try:
            queue(data)
        except InvalidState as error:
            raise ClientDisconnected from error
        self.transport.write(b"".join(self.conn.data_to_send()))

    def shutdown(self) -> None:
        """End the connection because the server stops."""
        super().shutdown()
        self._cut_soon()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast("Scope", self.scope)[_IN_SCOPE] = self

    def handle_events(self) -> None:
        """Take frames, as many as the client's pace allows."""
        now = self.loop.time()
        rate = self.limits.frames_per_s
        self._allowed = min(10 * rate, self._allowed + rate * (now - self._counted_at)) - len(self.conn.events)
        self._counted_at = now
        if self._allowed < 0 and self.handshake_complete:
            self.drop(CloseCode.POLICY, "too many frames")
            return
        super().handle_events()

    def send_receive_event_to_app(self) -> None:
        """Give a message to the application, unless it expects none."""
        if self._silent:
            self.frames = []
            return
        super().send_receive_event_to_app()

    def pause_writing(self) -> None:
        """Give a client that does not read some time."""
        super().pause_writing()
        if self._slow is None:
            self._slow = self.loop.call_later(self.limits.unread_s, self._too_slow)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        self._stop_slow()

    def keepalive_timeout(self) -> None:
        """End a connection whose client answers no ping; it may not be there to take the rest either."""
        super().keepalive_timeout()
        self._cut_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers and tell the application."""
        self._stop_slow()
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)
        if self._lost is not None:
            self._lost()

    def _too_slow(self) -> None:
        self._slow = None
        self.drop(CloseCode.TOO_SLOW, "too slow")

    def _stop_slow(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _cut_soon(self) -> None:
        if self._cut is None:
            self._cut = self.loop.call_later(self.limits.last_words_s, self.transport.abort)


def of_scope(scope: Scope) -> WebSocketConnection:
    """Return the connection of a WebSocket's scope."""
    connection = scope[_IN_SCOPE]
    if not isinstance(connection, WebSocketConnection):
        raise TypeError("not a connection of this server")
    return connection


def websocket_class(limits: WebSocketLimits) -> type[WebSocketConnection]:
    """Return the class of connections with these limits, as uvicorn makes them itself."""

    class LimitedWebSocket(WebSocketConnection):
        pass

    LimitedWebSocket.limits = limits
    return LimitedWebSocket
