"""WebSocket routes: who connects, from which page, how often; refusals before and after the handshake."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from models.errors import NotFound, PermissionDenied, TooManyRequests, UserFacingError
from models.ids import new_id
from server.core.structlog_import import structlog
from server.core.websocket_messages import message_of_error
from server.http import errors
from server.http.dependencies import server_context
from server.http.live_socket import BEARER, LiveSocket, gone
from server.http.routes import identified
from server.http.websocket_protocol import CloseCode, of_scope

_log = structlog.get_logger("imageflow.server")


class ConnectionCounts:
    """Counts the WebSocket connections of each principal in this process.

    Args:
        most: connections that one may have.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_name: Counter[str] = Counter()

    def enter(self, name: str) -> None:
        """Count a connection.

        Raises:
            TooManyRequests: ``too-many-websockets``.
        """
        if self._by_name[name] >= self._most:
            raise TooManyRequests("too-many-websockets", limit=self._most, members={"limit": self._most})
        self._by_name[name] += 1

    def leave(self, name: str) -> None:
        """Count a connection no longer."""
        self._by_name[name] -= 1
        if not self._by_name[name]:
            del self._by_name[name]


Endpoint = Callable[[LiveSocket], Awaitable[None]]


def websocket_route(path: str, endpoint: Endpoint) -> WebSocketRoute:
    """Return the route of a WebSocket endpoint for someone signed in.

    What the endpoint raises for the client before it accepts is the answer to the handshake, a problem document;
    afterwards it is a message of the type ``error``, and the connection ends.

    Args:
        path: of the route, as registered.
        endpoint: serves a connection until it ends.
    """

    async def serve(websocket: WebSocket) -> None:
        websocket.scope["imageflow.request_id"] = new_id()
        await of_scope(websocket.scope).hand_over(_logged(websocket, path, endpoint))

    return WebSocketRoute(path, serve)


async def _logged(websocket: WebSocket, path: str, endpoint: Endpoint) -> None:
    began = time.perf_counter()
    with suppress(WebSocketDisconnect):
        await _serve(websocket, endpoint)
    _log.info("websocket", route=path, seconds=round(time.perf_counter() - began, 1))


async def unknown_websocket(websocket: WebSocket) -> None:
    """Refuse the handshake of a path that no WebSocket route has."""
    websocket.scope["imageflow.request_id"] = new_id()
    with suppress(WebSocketDisconnect):
        await _refuse(websocket, NotFound("route-unknown"))


async def _serve(websocket: WebSocket, endpoint: Endpoint) -> None:
    context = server_context(websocket)
    counts: ConnectionCounts = websocket.app.state.websockets
    try:
        _require_known_origin(websocket, context.settings.cors_origins)
        headers = _credential(websocket)
        principal = await identified(context, headers)
        if principal.scopes:
            # What flows there is of every part of the API.
            raise PermissionDenied("scope-not-allowed", scopes=", ".join(sorted(principal.scopes)))
        counts.enter(principal.username)
    except UserFacingError as error:
        await _refuse(websocket, error)
        return
    socket = LiveSocket(context, websocket, principal, headers)
    try:
        with context.metrics.websockets.track_inprogress():
            await _run(socket, websocket, endpoint)
    finally:
        socket.leave()
        counts.leave(principal.username)


async def _run(socket: LiveSocket, websocket: WebSocket, endpoint: Endpoint) -> None:
    try:
        await endpoint(socket)
    except WebSocketDisconnect:
        raise
    except UserFacingError as error:
        if not socket.accepted:
            await _refuse(websocket, error)
            return
        await socket.send(message_of_error(error, socket.language))
        await socket.close(CloseCode.POLICY if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else CloseCode.FAULT)
    except Exception as error:
        answer = errors.bug(websocket.scope, error)
        if socket.accepted:
            await socket.close(CloseCode.FAULT)
        else:
            with gone():
                await websocket.send_denial_response(answer)
        raise
    else:
        await socket.close()


async def _refuse(websocket: WebSocket, error: UserFacingError) -> None:
    with gone():
        await websocket.send_denial_response(errors.problem(websocket.scope, error))


def _credential(websocket: WebSocket) -> dict[str, str]:
    """Return the header fields of who connects, of the handshake or made of the sub-protocol ``bearer, TOKEN``."""
    given = {name: value for name in ("authorization", "x-api-key") if (value := websocket.headers.get(name))}
    offered: list[str] = websocket.scope.get("subprotocols", [])
    if not given and len(offered) > 1 and offered[0].lower() == BEARER:
        given = {"authorization": f"Bearer {offered[1]}"}
    return given


def _require_known_origin(websocket: WebSocket, allowed: list[str]) -> None:
    """Check that a browser's page comes from this server or from a listed origin; a program names none.

    Raises:
        PermissionDenied: ``cross-origin-refused``.
    """
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed:
        return
    if urlsplit(origin).netloc.lower() != websocket.headers.get("host", "").lower():
        raise PermissionDenied("cross-origin-refused")
