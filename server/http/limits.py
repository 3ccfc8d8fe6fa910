"""Limits of request bodies, held before anything is parsed: bytes by kind of body, nesting of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import InvalidInput, TooLarge, UserFacingError
from server.core.settings import ServerSettings

# Strings are skipped as a whole, so that brackets in them do not count.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_MULTIPART_MARGIN = 64 * 1024
_ANSWER = Callable[[Scope, UserFacingError], ASGIApp]


def json_depth(data: bytes) -> int:
    """Return how deep arrays and objects of a JSON text are nested, without parsing it."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(data):
        first = data[match.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def require_depth(data: bytes, limit: int) -> None:
    """Check the nesting of a JSON text.

    Raises:
        InvalidInput: ``json-too-deep``.
    """
    if data.count(b"[") + data.count(b"{") > limit and json_depth(data) > limit:
        raise InvalidInput("json-too-deep", limit=limit)


def body_limit(content_type: str, settings: ServerSettings) -> int:
    """Return how many bytes a body of ``content_type`` may have."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return settings.max_upload_bytes + _MULTIPART_MARGIN
    if kind == "application/octet-stream":
        return settings.max_chunk_bytes
    return settings.max_body_bytes


class BodyLimits:
    """ASGI middleware that answers a body over a limit with a problem document instead of passing it on.

    Args:
        app: what comes next.
        settings: the limits.
        answer: makes the response for an error.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, answer: _ANSWER) -> None:
        self._app = app
        self._settings = settings
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "")
        counted = _Counted(receive, body_limit(kind, self._settings))

        async def unless_too_large(message: Message) -> None:
            # What comes next may have made something else of the error that stopped the body.
            if not counted.exceeded:
                await send(message)

        try:
            _check_head(scope, headers, counted.limit)
            checked = await self._checked_json(counted) if _is_plain_json(kind, headers) else counted
            await self._app(scope, checked, unless_too_large)
        except (TooLarge, InvalidInput) as error:
            if not counted.exceeded:
                await self._answer(scope, error)(scope, receive, send)
        if counted.exceeded:
            await self._answer(scope, _too_large(counted.limit))(scope, receive, send)

    async def _checked_json(self, counted: _Counted) -> Receive:
        pieces: list[bytes] = []
        while True:
            message = await counted()
            if message["type"] == "http.disconnect":
                return _replayed([message], counted)
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        body = b"".join(pieces)
        require_depth(body, self._settings.max_json_depth)
        return _replayed([{"type": "http.request", "body": body, "more_body": False}], counted)


class _Counted:
    """Receives a body and stops it at the limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._received = 0
        self.limit = limit
        self.exceeded = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.limit:
            self.exceeded = True
            raise _too_large(self.limit)
        return message


def _check_head(scope: Scope, headers: Headers, limit: int) -> None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise InvalidInput("request-malformed")  # no text here has one, and PostgreSQL cannot keep it
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _is_plain_json(content_type: str, headers: Headers) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return (kind == "application/json" or kind.endswith("+json")) and "content-encoding" not in headers


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body-too-large", limit=limit, members={"limit_bytes": limit})


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed
