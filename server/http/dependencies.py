"""What endpoints ask for: the server's parts and who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection

from models.errors import NotSignedIn, PermissionDenied
from models.names import OF_KEY
from models.states import Role
from server.auth.identity.principal import Principal
from server.auth.identity.repository import live_key, signed_in
from server.auth.identity.secrets import digest_of
from server.auth.identity.tokens import TokenKind
from server.context import ServerContext

__all__ = [
    "ANY_PRINCIPAL",
    "ANY_PRINCIPAL_OR_LOOPBACK",
    "ON_LOOPBACK",
    "SECURITY_SCHEMES",
    "STATION",
    "Asking",
    "Context",
    "Principal",
    "current_principal",
    "identify",
    "principal_or_loopback",
    "require",
    "require_device",
    "server_context",
]

SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "HTTPBearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Access token of `/auth/login`.",
    },
    "APIKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Key of a machine, made by an administrator.",
    },
}
"""How a request may say who it comes from, in the words of OpenAPI; ``identify`` reads them."""


STATION = "station"
"""What the API document calls a station by itself."""


def server_context(request: HTTPConnection) -> ServerContext:
    """Return the server's parts."""
    context = request.app.state.context
    if not isinstance(context, ServerContext):
        raise TypeError("the application was made without its context")
    return context


async def _server_context(request: Request) -> ServerContext:
    # Asynchronous, as are the dependencies below: none of them is worth a thread.
    return server_context(request)


Context = Annotated[ServerContext, Depends(_server_context)]


def identify(context: ServerContext, headers: Mapping[str, str]) -> Principal:
    """Return who a request comes from, by its head alone.

    Raises:
        NotSignedIn: ``sign-in-needed``, ``token-invalid``, ``token-expired`` or ``key-invalid``.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return _of_token(context, token.strip())
    key = headers.get("x-api-key")
    if key:
        return _of_key(context, key)
    raise NotSignedIn("sign-in-needed")


async def current_principal(request: Request) -> Principal:
    """Return who is asking; the route has identified them before it read the body."""
    principal = request.state.principal
    if not isinstance(principal, Principal):
        raise TypeError("the route did not identify its caller")
    return principal


async def principal_or_loopback(request: Request) -> Principal:
    """Return who is asking; a program on the server's own computer needs no credential."""
    return await current_principal(request)


ON_LOOPBACK = Principal(None, "loopback", None, None)
"""A program on the server's own computer that sent no credential."""
Asking = Annotated[Principal, Depends(current_principal)]
ANY_PRINCIPAL = [Depends(current_principal)]
"""For routes that need someone signed in and do not ask who."""
ANY_PRINCIPAL_OR_LOOPBACK = [Depends(principal_or_loopback)]
"""The same, open to programs on the server's own computer."""


class _RolesAllowed:
    """A dependency that lets some roles pass.

    Args:
        roles: those that may.
    """

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles
        self.callers: tuple[str, ...] = roles

    async def __call__(self, asking: Asking) -> Principal:
        """Return who asks; the route has checked the role."""
        return asking

    def permits(self, principal: Principal) -> None:
        """Check a principal.

        Raises:
            PermissionDenied: ``role-not-allowed``.
        """
        if principal.role not in self.roles:
            raise PermissionDenied("role-not-allowed", roles=", ".join(role.value for role in self.roles))


class _DeviceNeeded:
    """A dependency that lets only stations pass, with or without a signed-in user."""

    callers = (*Role, STATION)

    async def __call__(self, asking: Asking) -> Principal:
        """Return who asks; the route has checked that it is a station."""
        return asking

    def permits(self, principal: Principal) -> None:
        """Check a principal.

        Raises:
            PermissionDenied: ``device-needed``.
        """
        if principal.device_id is None:
            raise PermissionDenied("device-needed")


def require(*roles: Role) -> _RolesAllowed:
    """Return a dependency that lets only these roles pass; checked before the request's body is read."""
    return _RolesAllowed(roles)


require_device = _DeviceNeeded()
"""A dependency that lets only stations pass."""


def _of_token(context: ServerContext, text: str) -> Principal:
    token = context.tokens.read(text, TokenKind.ACCESS, TokenKind.DEVICE)
    with context.database.connection() as connection:
        principal = signed_in(connection, token)
    if principal is None:
        raise NotSignedIn("token-invalid")
    return principal


def _of_key(context: ServerContext, key: str) -> Principal:
    with context.database.read() as session:
        found = live_key(session, digest_of(key))
        if found is None:
            raise NotSignedIn("key-invalid")
        return Principal(
            None,
            f"{OF_KEY}{found.name}"[:64],
            found.role,
            None,
            key_maker_id=found.created_by_id,
            scopes=frozenset(found.scopes),
        )
