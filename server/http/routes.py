"""The route class of every feature: what a request's head says is checked before a byte of its body is read."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import compile_path
from starlette.types import Message, Receive

from models.errors import InvalidInput, PermissionDenied
from models.messages import LocalText
from models.states import Role
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.lean_imports import without
from server.http.clients import client_address, is_on_loopback
from server.http.dependencies import (
    ON_LOOPBACK,
    STATION,
    current_principal,
    identify,
    principal_or_loopback,
    server_context,
)
from server.http.idempotency import HEADER, is_shown_once, once
from server.http.json_guard import require_bounded
from server.http.lanes import Lane, in_lane, run_on
from server.http.limits import JSON, MULTIPART, BoundedBody, body_limit, form_limit, media_type, too_large
from server.http.paths import PREFIX
from server.http.refusals import UnsupportedMedia
from server.http.revisions import unless_known
from server.http.scopes import scopes_of

_INLINE_BYTES = 16 * 1024
_CREDENTIALS = ("authorization", "x-api-key")
_COMPLETING = threading.RLock()
"""For all routes: what is hidden from the imports of one is hidden from everybody."""
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _Declared(NamedTuple):
    path: str
    endpoint: Callable[..., Any]
    options: Mapping[str, Any]


class CheckedRoute(APIRoute):
    """Checks, in this order: who asks and in which role, the query's names, the body's kind, length, pace and depth.

    What FastAPI makes of an endpoint takes some 45 KB and milliseconds, so it is made with the first request: most
    servers are never asked most of what they can do.

    Attributes:
        needs_sign_in: whether only someone signed in may ask.
        open_on_loopback: whether a program on the server's own computer may too.
        callers: the roles that may ask, and ``station`` where a station by itself may.
        takes_key: whether a request may have an ``Idempotency-Key``.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = options.get("methods") or ["GET"]
        if not iscoroutinefunction(endpoint):
            endpoint = in_lane(endpoint, writes={*methods} != {"GET"})
        # All that it takes to find the route.
        self.path = path
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.endpoint = endpoint
        self.methods = {method.upper() for method in methods}
        self._declared: _Declared | None = _Declared(path, endpoint, options)

    def __getattr__(self, name: str) -> Any:
        """Complete the route when something is asked of it for the first time, by any thread.

        Raises:
            AttributeError: as always.
            Exception: of FastAPI for a wrong declaration, each time.
        """
        with _COMPLETING:
            declared = self.__dict__.get("_declared")
            if declared is not None:
                # Not while it completes: what is missing then is missing.
                incomplete = {**vars(self)}
                self._declared = None
                try:
                    self._complete(declared)
                except BaseException:
                    # None of it stays: a route that is complete in part would look complete.
                    vars(self).clear()
                    vars(self).update(incomplete)
                    raise
        return object.__getattribute__(self, name)

    def _complete(self, declared: _Declared) -> None:
        self.needs_sign_in = False
        self.open_on_loopback = False
        self.callers: list[str] = []
        self.takes_key = False
        with without("pydantic.v1"):
            # FastAPI loads it to refuse its models.
            super().__init__(declared.path, declared.endpoint, **declared.options)

    def get_route_handler(self) -> _Handler:
        """Return the handler with the checks before it."""
        handler = super().get_route_handler()
        checks = _HeadChecks(
            self.dependant,
            _body_kinds(self),
            raw=self.body_field is None,
            form_setting=form_limit(self.endpoint),
            scopes=frozenset({*map(str, self.tags), *scopes_of(self.endpoint)}),
        )
        # Declared for the checks alone: no parameter of the endpoint takes what they give.
        declared = (current_principal, principal_or_loopback, *checks.guards)
        self.dependant.dependencies = [
            one for one in self.dependant.dependencies if one.name is not None or one.call not in declared
        ]
        self.needs_sign_in = checks.signed_in
        self.open_on_loopback = checks.open_on_loopback
        self.require_permitted = checks.require_permitted
        self.callers = checks.callers
        self.takes_key = self.methods == {"POST"} and checks.takes_key
        keeps_body = not is_shown_once(self.endpoint)

        async def checked(request: Request) -> Response:
            ready = await checks.apply(request)
            if not self.takes_key or HEADER not in request.headers:
                return unless_known(request, await handler(ready))
            body = await ready.body() if checks.has_body else b""
            work = functools.partial(_in_one_task, handler, ready)
            principal = request.state.principal
            return await once(server_context(request), principal, ready, body, work, keeps_body=keeps_body)

        return checked


async def _in_one_task(handler: _Handler, request: Request) -> Response:
    """Answer with scopes of this task's own: those that dependencies enter must be left by the task that entered them.

    FastAPI leaves its scopes in the task of the request, whose client may go while the work goes on.
    """
    async with AsyncExitStack() as of_request, AsyncExitStack() as of_function:
        request.scope["fastapi_inner_astack"] = of_request
        request.scope["fastapi_function_astack"] = of_function
        return await handler(request)


def feature_router(prefix: str = "", route_class: type[CheckedRoute] = CheckedRoute, **options: Any) -> APIRouter:
    """Return the router of a feature; its routes are complete, so that the application takes them as they are.

    Args:
        prefix: of the feature's paths, after that of the interface's version.
        route_class: of its routes.
        options: of ``APIRouter``.
    """
    return APIRouter(
        prefix=PREFIX + prefix, route_class=route_class, generate_unique_id_function=operation_id, **options
    )


def operation_id(route: APIRoute) -> str:
    """Return the name of a route in the API document, which generated clients make their functions of."""
    return f"{route.tags[0] if route.tags else 'general'}-{route.name}".replace(" ", "-").replace("_", "-")


async def identified(context: ServerContext, headers: Mapping[str, str]) -> Principal:
    """Return who a request comes from.

    An embedded database answers in less time than a thread is reached; one across a network is waited for on a thread.
    """
    if context.database.is_sqlite:
        return identify(context, headers)
    return await run_on(Lane.READS, identify, context, headers)


class _HeadChecks:
    """What a route declares, gathered once.

    Args:
        dependant: the route's tree of dependencies.
        kinds: media types of the body; empty takes none.
        raw: the endpoint reads the body itself.
        form_setting: the setting that limits its forms.
        scopes: those of a key, any of which lets it ask.
    """

    def __init__(
        self, dependant: Dependant, kinds: frozenset[str], *, raw: bool, form_setting: str, scopes: frozenset[str]
    ) -> None:
        parts = list(_tree(dependant))
        calls = [one.call for one in parts]
        self.open_on_loopback = principal_or_loopback in calls
        self.signed_in = current_principal in calls or self.open_on_loopback
        guards = [call for call in calls if call is not None and hasattr(call, "permits")]
        self.guards = guards
        self._permits = [guard.permits for guard in guards]
        self.callers = [*Role, STATION]
        for guard in guards:
            permitted = getattr(guard, "callers", ())
            self.callers = [name for name in self.callers if name in permitted]
        self._query = sorted({field.alias for one in parts for field in one.query_params})
        self._kinds = kinds
        self._raw = raw
        self._form_setting = form_setting
        self._scopes = scopes

    @property
    def has_body(self) -> bool:
        """Whether the route takes a body."""
        return bool(self._kinds)

    @property
    def takes_key(self) -> bool:
        """Whether somebody signed in asks, with a body of JSON or none: others have ways of their own to repeat."""
        signed_in = self.signed_in and not self.open_on_loopback
        return signed_in and self._kinds <= {JSON} and not (self._raw and self._kinds)

    async def apply(self, request: Request) -> Request:
        """Check the head, then the body, and return the request to go on with.

        Raises:
            UserFacingError: with the status that the request deserves.
        """
        if self.signed_in:
            request.state.principal = await self._caller(request)
        self._check_query(request)
        if not self._kinds:
            return request
        return await self._with_body(request)

    def require_permitted(self, principal: Principal) -> None:
        """Check that a principal may ask.

        Raises:
            PermissionDenied: ``role-not-allowed``, ``device-needed``, ``scope-not-allowed``.
        """
        if principal.scopes and principal.scopes.isdisjoint(self._scopes):
            raise PermissionDenied("scope-not-allowed", scopes=", ".join(sorted(principal.scopes)))
        for permits in self._permits:
            permits(principal)

    async def _caller(self, request: Request) -> Principal:
        sent = any(name in request.headers for name in _CREDENTIALS)
        if self.open_on_loopback and not sent and is_on_loopback(request.scope):
            return ON_LOOPBACK
        principal = await identified(server_context(request), request.headers)
        self.require_permitted(principal)
        return replace(principal, address=client_address(request))

    def _check_query(self, request: Request) -> None:
        given = Counter(name for name, _ in request.query_params.multi_items())
        wrong = [name for name in given if name not in self._query]
        twice = [name for name, times in given.items() if times > 1 and name in self._query]
        if not wrong and not twice:
            return
        known = ", ".join(self._query) or "-"
        unknown = LocalText.of("value-query-unknown", {"known": known})
        repeated = LocalText.of("value-query-repeated", {})
        entries = [{"field": name, "message": unknown} for name in wrong]
        entries += [{"field": name, "message": repeated} for name in twice]
        raise InvalidInput("validation-error", members={"validation_errors": entries})

    async def _with_body(self, request: Request) -> Request:
        settings = server_context(request).settings
        kind = media_type(request.headers.get("content-type", ""))
        empty = request.headers.get("content-length", "" if "transfer-encoding" in request.headers else "0") == "0"
        if not (empty and kind == ""):
            self._check_kind(request, kind)
        limit = body_limit(kind, settings, signed_in=self.signed_in, form_setting=self._form_setting)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise too_large(limit)
        bounded = Request(request.scope, BoundedBody(request.receive, limit, settings.body_timeout_s))
        if self._raw:
            return bounded
        if kind == MULTIPART:
            # Kept by the request: the handler gets the same form. Read here, so that a limit is not taken for bad form.
            await bounded.form()
            return bounded
        body = await bounded.body()
        bounds = (body, settings.max_json_depth, settings.max_json_values)
        if len(body) > _INLINE_BYTES:
            await run_on(Lane.READS, require_bounded, *bounds)
        else:
            require_bounded(*bounds)
        return Request(request.scope, _replayed(body, request.receive))

    def _check_kind(self, request: Request, kind: str) -> None:
        if kind == "":
            raise UnsupportedMedia("media-type-missing", expected=", ".join(sorted(self._kinds)))
        if kind not in self._kinds:
            raise UnsupportedMedia("media-type-unsupported", given=kind[:100], expected=", ".join(sorted(self._kinds)))
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding != "identity" and not self._raw:
            raise UnsupportedMedia(
                "content-encoding-unsupported", headers={"Accept-Encoding": "identity"}, given=encoding[:100]
            )


def _body_kinds(route: APIRoute) -> frozenset[str]:
    if route.body_field is not None:
        return frozenset({MULTIPART if isinstance(route.body_field.field_info, params.Form) else JSON})
    return frozenset((route.openapi_extra or {}).get("requestBody", {}).get("content", {}))


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _tree(one)


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
