"""Requests of browsers from other origins (CORS): closed but for the listed ones; a refusal is a problem document."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InvalidInput
from server.http.errors import problem

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_ASKED = (
    "Authorization",
    "Content-Encoding",
    "Content-Range",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "X-API-Key",
    "X-Request-ID",
)
_ANSWERED = (
    "Accept-Ranges",
    "Allow",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)


class CrossOrigin(CORSMiddleware):
    """Lets pages of some origins call.

    Args:
        app: what comes next.
        origins: those that may.
    """

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_ASKED, expose_headers=_ANSWERED
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a preflight."""
        answer = super().preflight_response(request_headers)
        return answer if answer.status_code < HTTPStatus.BAD_REQUEST else _Refusal(headers=dict(answer.headers))


class _Refusal(Response):
    """A refused preflight; the request it answers is known only when it is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the problem document with the headers about origins of the preflight's answer."""
        refusal = problem(scope, InvalidInput("cross-origin-refused"))
        for name, value in self.headers.items():
            if name.startswith("access-control-"):
                refusal.headers[name] = value
        await refusal(scope, receive, send)
