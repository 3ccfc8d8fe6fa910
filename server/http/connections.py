"""HTTP connections: how many there may be, how long a head may take, and answers to what is no HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from models.errors import Unavailable, UserFacingError
from models.ids import new_id
from server.http.errors import problem
from server.http.refusals import HttpRefusal, RequestTimeout

_HEAD, _DRAIN, _WRITE = "head", "drain", "write"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may take.

    Attributes:
        most: connections at once.
        head_s: seconds from its first byte, or from the beginning of the connection, until a head is there.
        unread_s: seconds that the rest of a body is thrown away for after an early answer, and that a client may
            leave an answer unread.
    """

    most: int
    head_s: float
    unread_s: float


class MalformedRequest(HttpRefusal):
    """What came is not HTTP."""


class HeadTooLarge(HttpRefusal):
    """The head has more bytes than are taken."""

    status = 431


class Connection(H11Protocol):
    """A connection with time-outs; uvicorn by itself has one for idle connections only.

    Every refusal is a problem document in English, as no head has named a language.
    """

    limits: ClassVar[ConnectionLimits]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most:
            self._refuse(Unavailable("too-many-connections"))
        else:
            self._start(_HEAD, self.limits.head_s, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._stop(_HEAD, _DRAIN, _WRITE)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that has begun must end in time, however often a byte of it comes."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._stop(_DRAIN)
            self._start(_HEAD, self.limits.head_s, self._head_late)
        else:
            self._stop(_HEAD)

    def on_response_complete(self) -> None:
        """Throw away the rest of a body that nobody reads, but not for ever."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._start(_DRAIN, self.limits.unread_s, self.transport.abort)

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time."""
        super().pause_writing()
        self._start(_WRITE, self.limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        self._stop(_WRITE)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on."""
        self._stop(_HEAD, _DRAIN, _WRITE)
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; called while h11's error is handled, which knows the status."""
        del msg
        hint = getattr(sys.exc_info()[1], "error_status_hint", HTTPStatus.BAD_REQUEST)
        too_large = hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(HeadTooLarge("http-head-too-large") if too_large else MalformedRequest("http-malformed"))

    def _head_late(self) -> None:
        self._refuse(RequestTimeout("head-too-slow"))

    def _refuse(self, error: UserFacingError) -> None:
        self._stop(_HEAD, _DRAIN, _WRITE)
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE} and not self.transport.is_closing():
            scope = {"type": "http", "path": "", "headers": [], "imageflow.request_id": new_id()}
            answer = problem(scope, error)
            headers = [(name, value) for name, value in answer.raw_headers if name != b"connection"]
            response = h11.Response(status_code=answer.status_code, headers=[*headers, (b"connection", b"close")])
            events: tuple[Any, ...] = (response, h11.Data(data=bytes(answer.body)), h11.EndOfMessage())
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _start(self, name: str, seconds: float, action: Callable[[], object]) -> None:
        """Begin a timer, unless it runs."""
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(seconds, self._run_out, name, action)

    def _run_out(self, name: str, action: Callable[[], object]) -> None:
        del self._timers[name]
        action()

    def _stop(self, *names: str) -> None:
        for name in names:
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer.cancel()


def connection_class(limits: ConnectionLimits) -> type[Connection]:
    """Return the class of connections with these limits, as uvicorn makes them itself."""

    class LimitedConnection(Connection):
        pass

    LimitedConnection.limits = limits
    return LimitedConnection
