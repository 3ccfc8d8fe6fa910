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

    Where several patterns fit a path, the one with the earlier fixed segment wins. A request with a method that none of
    its routes has is given to the first of them, which answers 405.

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
        for routes in self._candidates(scope["path"].split("/")):
            partial: tuple[Match, Scope] = (Match.NONE, {})
            for route in routes:
                match, child_scope = route.matches(scope)
                child_scope[_MATCHED] = route
                if match is Match.FULL:
                    return match, child_scope
                if match is Match.PARTIAL and partial[0] is Match.NONE:
                    partial = (match, child_scope)
            if partial[0] is not Match.NONE:
                # Taken as it is: no less fixed pattern may answer a method that this path does not have.
                return Match.FULL, partial[1]
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer."""
        await scope[_MATCHED].handle(scope, receive, send)

    def _candidates(self, segments: Sequence[str]) -> Iterable[list[Route]]:
        """Yield the routes of each pattern that has the path's fixed segments, the most fixed one first."""
        for shape in self._shapes.get(len(segments), ()):
            key = tuple(None if free else part for part, free in zip(segments, shape, strict=True))
            yield self._by_key.get(key, [])
