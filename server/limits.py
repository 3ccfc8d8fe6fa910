"""Limits of request bodies, held before anything is parsed: bytes by kind of body, nesting of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import InvalidInput, TooLarge, UserFacingError
from server.settings import ServerSettings

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
        limit = body_limit(kind, self._settings)
        declared = headers.get("content-length", "")
        try:
            if declared.isdigit() and int(declared) > limit:
                raise _too_large(limit)
            if _is_plain_json(kind, headers):
                receive = await self._checked_json(receive, limit)
            else:
                receive = _counted(receive, limit)
            await self._app(scope, receive, send)
        except (TooLarge, InvalidInput) as error:
            await self._answer(scope, error)(scope, receive, send)

    async def _checked_json(self, receive: Receive, limit: int) -> Receive:
        counted = _counted(receive, limit)
        pieces: list[bytes] = []
        while True:
            message = await counted()
            if message["type"] == "http.disconnect":
                return _replayed([message], receive)
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        body = b"".join(pieces)
        require_depth(body, self._settings.max_json_depth)
        return _replayed([{"type": "http.request", "body": body, "more_body": False}], receive)


def _is_plain_json(content_type: str, headers: Headers) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return (kind == "application/json" or kind.endswith("+json")) and "content-encoding" not in headers


def _counted(receive: Receive, limit: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body-too-large", limit=limit, members={"limit_bytes": limit})


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed
