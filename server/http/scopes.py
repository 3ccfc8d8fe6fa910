"""What a key may be limited to: the tag of a route, or a scope that its endpoint names beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from models.states import ApiScope

_SCOPE = "imageflow_scope"
EndpointT = TypeVar("EndpointT")


def within(scope: ApiScope) -> Callable[[EndpointT], EndpointT]:
    """Mark an endpoint that keys of a narrower scope than its tag may ask too."""

    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _SCOPE, scope)
        return endpoint

    return mark


def scopes_of(endpoint: object) -> tuple[str, ...]:
    """Return the scopes that an endpoint names."""
    scope: ApiScope | None = getattr(endpoint, _SCOPE, None)
    return () if scope is None else (scope.value,)
