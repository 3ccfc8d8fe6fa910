"""Finds the route of a path by its segments, instead of trying the pattern of one route after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_PARAMETER = "{"
_MATCHED = "imageflow.route"
_Key = tuple[str | None, ...]


class RouteTable(BaseRoute):
    """One route in front of many: looks them up by the number of segments and those that are fixed.

    Where several routes fit a path, the one with the earlier fixed segment wins, then the one registered first. A
    request that only differs in its method is given to the first of them, which answers 405.

    Args:
        routes: with parameters of one segment each.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_key: dict[_Key, list[Route]] = {}
        self._shapes: dict[int, list[tuple[bool, ...]]] = {}
        for route in routes:
            segments = route.path_format.split("/")
            key = tuple(None if part.startswith(_PARAMETER) else part for part in segments)
            self._by_key.setdefault(key, []).append(route)
            shapes = self._shapes.setdefault(len(key), [])
            shape = tuple(part is None for part in key)
            if shape not in shapes:
                shapes.append(shape)
        for shapes in self._shapes.values():
            shapes.sort()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how well the best route fits."""
        if scope["type"] != "http":
            return Match.NONE, {}
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in self._candidates(scope["path"].split("/")):
            match, child_scope = route.matches(scope)
            if match is Match.NONE or (match is Match.PARTIAL and partial[0] is Match.PARTIAL):
                continue
            child_scope[_MATCHED] = route
            if match is Match.FULL:
                return match, child_scope
            partial = (match, child_scope)
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer."""
        await scope[_MATCHED].handle(scope, receive, send)

    def _candidates(self, segments: Sequence[str]) -> Iterable[Route]:
        for shape in self._shapes.get(len(segments), ()):
            key = tuple(None if free else part for part, free in zip(segments, shape, strict=True))
            yield from self._by_key.get(key, ())
