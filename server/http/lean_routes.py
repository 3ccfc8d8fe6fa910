"""The routes of what is asked thousands of times a second, and the short way to them.

A request that has nothing unusual about it is answered without the framework's own path: its route is looked up by the
path, its body is validated from the bytes, the endpoint is called, the reply is written as bytes. ``LeanBatches``
answers those that come in one piece before they reach the application, ``LeanRoutes`` the others. Whatever is unusual
(another method, a query, a body that is not there yet or does not validate, a caller who is not known, an endpoint that
refuses, a database across a network) goes the way of every other route, which checks it again from the start and says
what is wrong with it. So there is one set of rules; this only finds the requests that keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_type_hints

from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import PermissionDenied, UserFacingError
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.http.clients import is_on_loopback
from server.http.dependencies import identify
from server.http.known_callers import Credential, KnownCallers
from server.http.lanes import Lane, light_request, run_on
from server.http.limits import JSON
from server.http.requests import REQUEST_ID
from server.http.routes import CheckedRoute
from server.http.whole_messages import ANSWER, whole_body

INLINE_BYTES = 16 * 1024
"""A larger body is validated and answered on a thread, so that others are not kept waiting."""
_NO_CREDENTIAL: Credential = b"", b""
_LENGTH, _KIND, _AUTHORIZATION, _API_KEY = b"content-length", b"content-type", b"authorization", b"x-api-key"
_READ = frozenset({_LENGTH, _KIND, _AUTHORIZATION, _API_KEY, REQUEST_ID})
_JSON = JSON.encode()
_UNUSUAL = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"origin"})
_PARAMETERS = {"context", "body"}


class LeanHead(NamedTuple):
    """What matters of the head of a usual request.

    Attributes:
        length: bytes of the body.
        credential: either value empty where it was not sent.
        request_id: as sent; empty without one.
    """

    length: int
    credential: Credential
    request_id: bytes


class LeanRoute(CheckedRoute):
    """A route of an endpoint that takes ``context`` and a JSON ``body`` and returns a pydantic model.

    An endpoint that raises has changed nothing: it is called again for the answer.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = get_type_hints(endpoint)
        reply = hints.pop("return")
        if set(hints) != _PARAMETERS:
            raise TypeError("a lean endpoint takes context and body")
        self._answer = endpoint
        self._body: type[BaseModel] = hints["body"]
        self._exclude_none = bool(options.get("response_model_exclude_none"))
        self._takes = frozenset(options["methods"])
        del reply
        super().__init__(path, endpoint, **options)

    async def usual_content(self, scope: Scope) -> bytes | None:
        """Return the reply to a request that has nothing unusual; None for any other, of which nothing is read then."""
        context: ServerContext = scope["app"].state.context
        head = self.usual_head(scope, context)
        body = whole_body(scope)
        if head is None or body is None or len(body) != head.length:
            return None
        light_request()
        if head.length > INLINE_BYTES:
            if not self._may_ask(scope, head, context):
                return None
            return await run_on(Lane.READS, self._content, context, body)
        try:
            with context.database.one_version():
                return self.content_at_once(scope, head, context, body)
        except UserFacingError:  # The database cannot be read.
            return None

    def usual_head(self, scope: Scope, context: ServerContext) -> LeanHead | None:
        """Return what matters of the head of a request; None when it has something unusual."""
        if scope["method"] not in self._takes or scope["query_string"] or not context.database.is_sqlite:
            return None
        head = _usual_head(scope)
        return None if head is None or head.length > context.settings.max_body_bytes else head

    def content_at_once(self, scope: Scope, head: LeanHead, context: ServerContext, body: bytes) -> bytes | None:
        """Return the reply to a usual request as ``usual_content``; within ``one_version``, for a small body."""
        return self._content(context, body) if self._may_ask(scope, head, context) else None

    def _may_ask(self, scope: Scope, head: LeanHead, context: ServerContext) -> bool:
        if head.credential == _NO_CREDENTIAL:
            return self.open_on_loopback and is_on_loopback(scope)
        callers: KnownCallers = scope["app"].state.known_callers
        try:
            principal = callers.find(head.credential, lambda: identify(context, _texts(head.credential)))
        except UserFacingError:
            return False
        return self._permits(principal)

    def _permits(self, principal: Principal) -> bool:
        try:
            self.require_permitted(principal)
        except PermissionDenied:
            return False
        return True

    def _content(self, context: ServerContext, body: bytes) -> bytes | None:
        """Return the reply, or None for a body that does not validate or that the endpoint refuses."""
        try:
            given = self._body.__pydantic_validator__.validate_json(body)
            reply = self._answer(context=context, body=given)
        except (ValidationError, UserFacingError):
            return None
        content: bytes = reply.__pydantic_serializer__.to_json(reply, exclude_none=self._exclude_none)
        return content


class LeanRoutes:
    """ASGI middleware within ``Requests`` that answers usual requests of lean routes.

    Args:
        app: what comes next, for all other requests.
        routes: those of the application.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._by_path = {route.path: route for route in routes if isinstance(route, LeanRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        route = self._by_path.get(scope["path"]) if scope["type"] == "http" else None
        content = None if route is None else await route.usual_content(scope)
        if content is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        await send({"type": ANSWER, "content": content})


def _usual_head(scope: Scope) -> LeanHead | None:
    """Return what matters of a head; None when it is not one of JSON with a length, or has a field twice or empty."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in found or not value:
                return None
            found[name] = value
        elif name in _UNUSUAL:
            return None
    length = found.get(_LENGTH, b"")
    if not length.isdigit() or found.get(_KIND, b"").partition(b";")[0] != _JSON:
        return None
    credential = found.get(_AUTHORIZATION, b""), found.get(_API_KEY, b"")
    return LeanHead(int(length), credential, found.get(REQUEST_ID, b""))


def _texts(credential: Credential) -> Mapping[str, str]:
    authorization, key = (value.decode("latin-1") for value in credential)
    return {"authorization": authorization, "x-api-key": key}
