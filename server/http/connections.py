"""HTTP connections: how many there may be, how long a head may take, and answers to what is no HTTP."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from models.errors import Unavailable, UserFacingError
from models.ids import new_id
from server.http.errors import problem
from server.http.lean_batches import LeanBatches, LeanRequest
from server.http.refusals import HttpRefusal, RequestTimeout
from server.http.whole_messages import CYCLE

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_HEAD, _DRAIN, _WRITE = "head", "drain", "write"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may take.

    Attributes:
        most: connections at once.
        head_bytes: largest head: target and fields.
        head_s: seconds from its first byte, or from the beginning of the connection, until a head is there.
        unread_s: seconds that the rest of a body is thrown away for after an early answer, and that a client may
            leave an answer unread.
    """

    most: int
    head_bytes: int
    head_s: float
    unread_s: float


class MalformedRequest(HttpRefusal):
    """What came is not HTTP."""


class HeadTooLarge(HttpRefusal):
    """The head has more bytes than are taken."""

    status = 431


class Connection(HttpToolsProtocol):
    """A connection with time-outs and a largest head; uvicorn by itself has a time-out for idle connections only.

    Every refusal is a problem document in English, as no head has named a language.
    """

    limits: ClassVar[ConnectionLimits]
    lean: ClassVar[LeanBatches | None] = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._begun = 0
        self._refused = False
        self._handed_on = False
        self._lean: LeanRequest | None = None

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
        idle = not self._in_body and not self._head_bytes
        self._begun = 0
        super().data_received(data)
        if self._lean is not None:
            # Its body has not come with its head: what is late is the application's to answer.
            lean, self._lean = self._lean, None
            lean.serve()
        if self._handed_on:
            return
        if not self._in_head:
            # Blank lines after an answer end uvicorn's waiting for the next request and begin none.
            self._expect_head()
            return
        # What came before the head in one piece with it belongs to other requests; the rest of the head is counted.
        if not self._begun or (idle and self._begun == 1):
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.head_bytes:
            self._refuse(HeadTooLarge("http-head-too-large"))
        elif not self._refused:
            # Not with its beginning: most heads end with the bytes they begin with.
            self._start(_HEAD, self.limits.head_s, self._head_late)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._begun += 1

    def on_headers_complete(self) -> None:
        """Start the request, unless its head is too large or names no host (RFC 9112, section 3.2)."""
        self._in_head, self._in_body, self._head_bytes = False, True, 0
        self._stop(_HEAD)
        size, names_host = len(self.url), False
        for name, value in self.headers:
            size += len(name) + len(value)
            names_host = names_host or name == b"host"
        if size > self.limits.head_bytes:
            self._refuse(HeadTooLarge("http-head-too-large"))
        elif not names_host and self.parser.get_http_version() == "1.1":
            self._refuse(MalformedRequest("http-malformed"))
        if not self._refused:
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Begin a request, a usual one of a lean route only once its body is there."""
        cycle.scope[CYCLE] = weakref.ref(cycle)  # type: ignore[literal-required]  # a name of our own
        serve = partial(super()._start_asgi_task, cycle, app)
        lean = None if self.lean is None else self.lean.usual(cycle, serve)
        if lean is None:
            serve()
        elif cycle.more_body:
            self._lean = lean
        else:
            lean.answer_soon()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's body; a connection that was only being drained is idle from here on."""
        self._in_body = False
        if self._refused:
            return
        super().on_message_complete()
        if self._lean is not None:
            lean, self._lean = self._lean, None
            lean.answer_soon()
        self._stop(_DRAIN)
        self._expect_head()

    def on_response_complete(self) -> None:
        """Throw away the rest of a body that nobody reads, but not for ever."""
        super().on_response_complete()
        if self._in_body and not self.transport.is_closing():
            self._start(_DRAIN, self.limits.unread_s, self.transport.abort)

    def _expect_head(self) -> None:
        """Give the next request its time, once the one before it is read and answered."""
        answered = self.cycle is None or self.cycle.response_complete
        if answered and not self._in_body and not self.transport.is_closing():
            self._start(_HEAD, self.limits.head_s, self._head_late)

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time."""
        super().pause_writing()
        self._start(_WRITE, self.limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        self._stop(_WRITE)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on; what comes next on it is no request."""
        self._handed_on = True
        self._stop(_HEAD, _DRAIN, _WRITE)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse(MalformedRequest("http-malformed"))

    def _head_late(self) -> None:
        self._refuse(RequestTimeout("head-too-slow"))

    def _refuse(self, error: UserFacingError) -> None:
        """Answer an error and end the connection; an answer that has begun is cut off instead."""
        self._refused = True
        self._stop(_HEAD, _DRAIN, _WRITE)
        cycle = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        if under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        if not (under_way and cycle.response_started) and not self.transport.is_closing():
            scope = {"type": "http", "path": "", "headers": [], "imageflow.request_id": new_id()}
            answer = problem(scope, error)
            fields = [(name, value) for name, value in answer.raw_headers if name != b"connection"]
            lines = [name + b": " + value + b"\r\n" for name, value in (*fields, (b"connection", b"close"))]
            self.transport.write(b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n", bytes(answer.body)]))
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


def connection_class(limits: ConnectionLimits, lean: LeanBatches | None = None) -> type[Connection]:
    """Return the class of connections with these limits, as uvicorn makes them itself.

    Args:
        limits: of each connection.
        lean: answers usual requests of lean routes; without it the application does.
    """

    class LimitedConnection(Connection):
        pass

    LimitedConnection.limits, LimitedConnection.lean = limits, lean
    return LimitedConnection
