"""What endpoints ask for: the server's parts and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from models.errors import NotSignedIn, PermissionDenied
from models.states import Role
from server.auth.identity.principal import Principal
from server.auth.identity.repository import active_device, active_user, live_key, open_session
from server.auth.identity.secrets import digest_of
from server.auth.identity.tokens import TokenKind
from server.context import ServerContext

__all__ = [
    "ANY_PRINCIPAL",
    "Asking",
    "Context",
    "Principal",
    "current_principal",
    "require",
    "require_device",
    "server_context",
]

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token of `/auth/login`.")
_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="Key of a machine, made by an administrator.")


def server_context(request: Request) -> ServerContext:
    """Return the server's parts."""
    context = request.app.state.context
    if not isinstance(context, ServerContext):
        raise TypeError("the application was made without its context")
    return context


Context = Annotated[ServerContext, Depends(server_context)]


def current_principal(
    request: Request,
    context: Context,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    key: Annotated[str | None, Security(_key)],
) -> Principal:
    """Return who is asking.

    Raises:
        NotSignedIn: ``sign-in-needed``, ``token-invalid``, ``token-expired`` or ``key-invalid``.
    """
    if bearer is not None:
        principal = _of_token(context, bearer.credentials)
    elif key is not None:
        principal = _of_key(context, key)
    else:
        raise NotSignedIn("sign-in-needed")
    request.state.principal = principal
    return principal


Asking = Annotated[Principal, Depends(current_principal)]
ANY_PRINCIPAL = [Depends(current_principal)]
"""For routes that need someone signed in and do not ask who."""


def require(*roles: Role) -> Callable[..., Principal]:
    """Return a dependency that lets only these roles pass.

    Its ``roles`` attribute names them, for the API document.
    """

    def allowed(asking: Asking) -> Principal:
        if asking.role not in roles:
            raise PermissionDenied("role-not-allowed", roles=", ".join(role.value for role in roles))
        return asking

    return allowed


def require_device(asking: Asking) -> Principal:
    """Let only stations pass, with or without a signed-in user.

    Raises:
        PermissionDenied: ``device-needed``.
    """
    if asking.device_id is None:
        raise PermissionDenied("device-needed")
    return asking


def _of_token(context: ServerContext, text: str) -> Principal:
    token = context.tokens.read(text, TokenKind.ACCESS, TokenKind.DEVICE)
    with context.database.read() as session:
        if token.device_id is not None and active_device(session, token.device_id) is None:
            raise NotSignedIn("token-invalid")
        if token.kind is TokenKind.DEVICE:
            return Principal(None, f"device:{token.subject}", None, token.device_id)
        user = active_user(session, token.subject)
        if user is None or open_session(session, token.session_id) is None:
            raise NotSignedIn("token-invalid")
        return Principal(user.id, user.username, user.role, token.device_id, token.session_id)


def _of_key(context: ServerContext, key: str) -> Principal:
    with context.database.read() as session:
        found = live_key(session, digest_of(key))
        if found is None:
            raise NotSignedIn("key-invalid")
        return Principal(None, f"key:{found.name}"[:64], found.role, None)
