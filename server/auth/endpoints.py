"""``/auth``: sign-in, refresh, sign-out."""

from __future__ import annotations

from server.auth import service
from server.auth.schemas import Identity
from server.http.clients import ClientAddress
from server.http.dependencies import Asking, Context
from server.http.lanes import signing_in
from server.http.revisions import Read
from server.http.routes import feature_router
from sync.shared.sign_in import LoginRequest, RefreshRequest, TokenPair

router = feature_router(prefix="/auth", tags=["sign-in"])


@router.post("/login", summary="Sign in with name and password", responses={401: {}, 429: {}})
@signing_in
def login(body: LoginRequest, address: ClientAddress, context: Context) -> TokenPair:
    """Give an access token and a refresh token."""
    return service.sign_in(context, body.username, body.password, address)


@router.post("/refresh", summary="Exchange a refresh token for a new pair", responses={401: {}})
def refresh(body: RefreshRequest, address: ClientAddress, context: Context) -> TokenPair:
    """Give a new pair; the old refresh token is good no more, and using it again ends the session."""
    return service.refresh(context, body.refresh_token, address)


@router.post("/logout", summary="End the signed-in session", status_code=204)
def logout(asking: Asking, context: Context) -> None:
    """Invalidate access and refresh token of this session."""
    service.sign_out(context, asking)


@router.get("/me", summary="Who is signed in")
def me(asking: Asking, context: Context, answer: Read) -> Identity:
    """The user, the machine with its key, or the station that a request comes from."""
    return answer.of(service.identity_of(context, asking))
