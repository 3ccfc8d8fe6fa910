"""Usual requests of lean routes that come in one piece, answered together in each turn of the event loop.

A task, the middlewares, a line of the log and a look whether the database has changed take longer together than a
score. So what has come in a turn is answered in one go, without a task, with one look and one write of the log. Each
request that waits has come before that look: all of them see what was committed before they were sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import BaseRoute
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from models.errors import UserFacingError
from server.context import ServerContext
from server.core.logs import EndedRequest, RequestLog
from server.core.structlog_import import structlog
from server.http.lanes import light_request
from server.http.lean_routes import INLINE_BYTES, LeanHead, LeanRoute
from server.http.paths import paths_to
from server.http.requests import lines_of_json, request_id_of
from server.http.whole_messages import can_send_whole, send_whole, whole_body

if TYPE_CHECKING:
    from starlette.types import Scope

_OK = 200
_log = structlog.get_logger("imageflow.server")


class LeanRequest(NamedTuple):
    """A usual request.

    Attributes:
        batches: answers it.
        route: its route.
        head: of the request.
        cycle: uvicorn's state of it.
        serve: gives it to the application.
        began: when its head was there, by ``perf_counter``.
    """

    batches: LeanBatches
    route: LeanRoute
    head: LeanHead
    cycle: RequestResponseCycle
    serve: Callable[[], None]
    began: float

    def answer_soon(self) -> None:
        """Answer it in this turn of the event loop, now that its body is there."""
        self.batches.add(self)


class LeanBatches:
    """Answers usual requests; for the event loop alone.

    Args:
        context: the server's parts.
        app: has the state that routes read.
        routes: those of the application.
        log: gets a line for each request.
    """

    def __init__(self, context: ServerContext, app: object, routes: Iterable[BaseRoute], log: RequestLog) -> None:
        self._context = context
        self._app = app
        self._log = log
        lean = [route for route in routes if isinstance(route, LeanRoute)]
        self._by_path = {path: route for route in lean for path in paths_to(route.path)}
        self._waiting: list[LeanRequest] = []

    def usual(self, cycle: RequestResponseCycle, serve: Callable[[], None]) -> LeanRequest | None:
        """Return a request that can be answered here once its body is there; None for any other.

        Args:
            cycle: uvicorn's state of the request, whose head is there.
            serve: gives it to the application, which happens when it turns out to be unusual.
        """
        scope = _scope_of(cycle)
        route = self._by_path.get(scope["path"])
        if route is None:
            return None
        head = route.usual_head(scope, self._context)
        if head is None or head.length > INLINE_BYTES or self._is_over_another_scheme(scope):
            return None
        scope["app"] = self._app
        return LeanRequest(self, route, head, cycle, serve, time.perf_counter())

    def _is_over_another_scheme(self, scope: Scope) -> bool:
        """Return whether a proxy that is named says how the client reaches it, which the application takes in."""
        proxy = self._context.settings.proxy
        return bool(proxy) and any(name == b"x-forwarded-proto" for name, _ in scope["headers"])

    def add(self, request: LeanRequest) -> None:
        """Answer a request, whose body is there, when this turn of the event loop has read what there is to read."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        self._waiting.append(request)

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        light_request()
        ended: list[EndedRequest] = []
        try:
            with self._context.database.one_version():
                for request in waiting:
                    self._answer_one(request, ended)
        except UserFacingError:
            # The database cannot be read; the application says so to each of them.
            pass
        finally:
            # Also after a fault, which the event loop reports: the application meets it again and tells the client.
            for request in waiting:
                if not request.cycle.response_started:
                    request.serve()
            if ended:
                self._log.write(ended)

    def _answer_one(self, request: LeanRequest, ended: list[EndedRequest]) -> None:
        """Answer a request, unless it is unusual: then nothing has been done."""
        cycle, route = request.cycle, request.route
        scope = _scope_of(cycle)
        body = whole_body(scope)
        # Asked first: a score counts, for alerts too, and the application would score the row again.
        if body is None or not can_send_whole(scope):
            return
        content = route.content_at_once(scope, request.head, self._context, body)
        if content is None:
            return
        request_id = request_id_of(request.head.request_id)
        send_whole(scope, lines_of_json(request_id, tls=scope["scheme"] == "https"), content)
        # As uvicorn does at the end of its task: else request and connection would refer to each other.
        cycle.on_response = _nothing
        seconds = time.perf_counter() - request.began
        method = scope["method"]
        self._context.metrics.request(method, route.path, _OK, seconds)
        ended.append(EndedRequest(method, route.path, _OK, seconds, request_id))


def _scope_of(cycle: RequestResponseCycle) -> Scope:
    return cycle.scope  # type: ignore[return-value]  # one mapping, typed by uvicorn and by starlette


def _nothing() -> None:
    pass
