"""A span for every request; part of the application only where a collector is set."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.core.tracing import Tracing

_PARENT = (b"traceparent", b"tracestate")
_UNMATCHED = "(unmatched)"


class Traced:
    """ASGI middleware.

    Args:
        app: what comes next.
        tracing: makes the spans.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        parent = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _PARENT}
        with self._tracing.request(parent) as span:
            try:
                await self._app(scope, receive, noticed)
            finally:
                route = str(getattr(scope.get("route"), "path", _UNMATCHED))
                span.answered(scope["method"], route, status)
