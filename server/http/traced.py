"""A span for every request; part of the application only where a collector is set."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from server.core.tracing import Tracing
from server.http.requests import OUTCOME

_PARENT = (b"traceparent", b"tracestate")


class Traced:
    """ASGI middleware.

    Args:
        app: what comes next, ``Requests`` among it.
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
        parent = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _PARENT}
        with self._tracing.request(parent) as span:
            try:
                await self._app(scope, receive, send)
            finally:
                # Not from the messages: an answer in one piece goes past them.
                span.answered(*scope[OUTCOME])
