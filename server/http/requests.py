"""What happens around every request: an id, security headers, one log line, metrics, an answer to every fault."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import InvalidInput
from models.ids import new_id
from server.core.logs import EndedRequest, RequestLog
from server.core.metrics import Metrics
from server.http import errors
from server.http.errors import SECURITY_HEADERS
from server.http.whole_messages import ANSWER, lines_of, send_whole

OUTCOME = "imageflow.outcome"
"""Member of a scope once the request is over: method, route and status, as metrics count them."""
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = b"x-request-id"
_CLOSE = b"connection", b"close"
_DEFAULTS = (
    *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
    (b"cache-control", b"no-store"),
)
_OVER_TLS = (*_DEFAULTS, (b"strict-transport-security", b"max-age=31536000"))
_JSON = (b"content-type", b"application/json")
_JSON_LINES, _JSON_OVER_TLS = lines_of((_JSON, *_DEFAULTS)), lines_of((_JSON, *_OVER_TLS))
_Headers = list[tuple[bytes, bytes]]
_UNMATCHED = "(unmatched)"


def request_id_of(given: bytes) -> str:
    """Return the id that a client has given a request, or a new one for none or one that cannot be written to a log."""
    return given.decode() if _ID.fullmatch(given) else new_id()


def lines_of_json(request_id: str, *, tls: bool) -> bytes:
    """Return the lines of the head of an answer of JSON in one piece, without the length."""
    return b"%bx-request-id: %b\r\n" % (_JSON_OVER_TLS if tls else _JSON_LINES, request_id.encode())


class Requests:
    """ASGI middleware.

    Args:
        app: what comes next.
        metrics: counts and durations go there.
        log: gets a line.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, body_awaited = b"", False
        for name, value in scope["headers"]:
            if name == REQUEST_ID:
                given = value
            elif name == b"expect":
                # Answered before its body was asked for: what would come next on the connection is not known.
                body_awaited = True
        request_id = request_id_of(given)
        scope["imageflow.request_id"] = request_id
        status = 500
        started = time.perf_counter()

        async def asked() -> Message:
            nonlocal body_awaited
            body_awaited = False
            return await receive()

        async def send_completed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = [(REQUEST_ID, request_id.encode())]
                if body_awaited:
                    added.append(_CLOSE)
                message["headers"] = _completed(message["headers"], added, tls=scope["scheme"] == "https")
            await send(message)

        # Of two functions: one that calls itself refers to itself, and its request would be garbage to be collected.
        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] != ANSWER:
                await send_completed(message)
                return
            status = 200
            content = message["content"]
            if not send_whole(scope, lines_of_json(request_id, tls=scope["scheme"] == "https"), content):
                headers = [_JSON, (b"content-length", b"%d" % len(content))]
                await send_completed({"type": "http.response.start", "status": status, "headers": headers})
                await send_completed({"type": "http.response.body", "body": content})

        try:
            await self._app(scope, asked, with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = str(getattr(scope.get("route"), "path", _UNMATCHED))
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            scope[OUTCOME] = method, route, status
            self._metrics.request(method, route, status, seconds)
            self._log.write((EndedRequest(method, route, status, seconds, request_id),))


def _completed(given: Iterable[tuple[bytes, bytes]], added: _Headers, *, tls: bool) -> _Headers:
    """Return the head of an answer with what every answer has; what the route has set stays."""
    replaced = [name for name, _ in added]
    headers = [pair for pair in given if pair[0] not in replaced]
    names = {name for name, _ in headers}
    return [*headers, *added, *(pair for pair in (_OVER_TLS if tls else _DEFAULTS) if pair[0] not in names)]


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Faults:
    """ASGI middleware that answers a fault of the server, an ended connection, and paths that no text here can have.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection.

        Raises:
            Exception: a fault after the answer has begun; only the end of the connection can tell the client.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            # PostgreSQL cannot keep it.
            await errors.problem(scope, InvalidInput("request-malformed"))(scope, receive, send)
            return
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except ClientDisconnect:
            # The client went away within its body: nobody hears the answer, but log and metrics count it.
            if not started:
                await errors.problem(scope, InvalidInput("request-malformed"))(scope, receive, send)
        except Exception as error:
            answer = errors.bug(scope, error)
            if started:
                raise
            await answer(scope, receive, send)


class HeadRequests:
    """ASGI middleware that answers HEAD as GET without the body.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head_alone(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise _Answered

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, head_alone)
        except _Answered:
            return
        finally:
            if "route" in as_get:
                scope["route"] = as_get["route"]


class _Answered(BaseException):
    """Ends a request whose body nobody wants, a long file above all; no handler of faults may see it."""
