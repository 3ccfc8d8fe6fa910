"""One canonical path for each route.

``/v1`` is short for ``/api/v1``, what serves the server's operation is at the root, ``/anomaly`` answers there too, a
trailing slash changes nothing.
"""

from __future__ import annotations

from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX, SHORT_PREFIX = "/api/v1", "/v1"
_AT_ROOT = tuple(f"{PREFIX}{path}" for path in ("/health", "/metrics", "/docs", "/ws/"))
_ALSO_AT_ROOT = "/anomaly"
_GIVEN = "imageflow.given_path"


@lru_cache(maxsize=256)
def canonical_path(path: str, *, ends_in_slash: bool) -> str:
    """Return the path that routes are registered under.

    Args:
        path: as the client sent it, percent-decoded.
        ends_in_slash: whether a slash was sent last; a percent-encoded one belongs to the last segment.
    """
    if ends_in_slash and len(path) > 1:
        path = path.removesuffix("/")
    if path == SHORT_PREFIX or path.startswith(f"{SHORT_PREFIX}/"):
        path = PREFIX + path.removeprefix(SHORT_PREFIX)
    if path.startswith(_AT_ROOT):
        path = path.removeprefix(PREFIX)
    elif path == _ALSO_AT_ROOT or path.startswith(f"{_ALSO_AT_ROOT}/"):
        path = PREFIX + path
    return path


def given_path(scope: Scope) -> str:
    """Return the path as the client sent it, percent-decoded."""
    return str(scope.get(_GIVEN, scope["path"]))


def paths_to(path: str) -> frozenset[str]:
    """Return every path without a trailing slash that ``canonical_path`` takes to a path of a route."""
    at_root = path.removeprefix(PREFIX)
    given = (path, at_root, SHORT_PREFIX + at_root)
    return frozenset(one for one in given if canonical_path(one, ends_in_slash=False) == path)


class CanonicalPaths:
    """ASGI middleware that rewrites the path of a request to the canonical one; the query string stays as it is.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] in {"http", "websocket"}:
            _rewrite(scope)
        await self._app(scope, receive, send)


def _rewrite(scope: Scope) -> None:
    """Change the scope in place: middleware further out reads the matched route from it."""
    given: str = scope["path"]
    raw: bytes = scope.get("raw_path") or given.encode()
    path = canonical_path(given, ends_in_slash=raw.endswith(b"/"))
    if path == given:
        return
    scope[_GIVEN] = given
    scope["path"] = path
    scope["raw_path"] = canonical_path(raw.decode("latin-1"), ends_in_slash=raw.endswith(b"/")).encode("latin-1")
