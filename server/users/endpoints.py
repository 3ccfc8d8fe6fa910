"""``/users`` and ``/api-keys``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.errors import PermissionDenied
from models.states import Role
from server.core.paging import PageQuery
from server.http.clients import ClientAddress
from server.http.dependencies import Asking, Context, Principal, require
from server.http.idempotency import shown_once
from server.http.lanes import signing_in
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.users import keys, service
from server.users.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyReply,
    PasswordChange,
    PasswordSet,
    UserCreate,
    UserReply,
    UserUpdate,
)
from sync.shared.schemas import NamedId, Page

router = feature_router(tags=["users"])
UserPaging = Annotated[PageQuery, Depends(paging_by("username", "display_name", "role", "created_at", "updated_at"))]
KeyPaging = Annotated[PageQuery, Depends(paging_by("name", "role", "created_at", "expires_at"))]
ADMIN_ONLY = [Depends(require(Role.ADMIN))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]


@router.get("/users", summary="List users", dependencies=ADMIN_ONLY)
def list_users(
    context: Context,
    paging: UserPaging,
    role: Annotated[Role | None, Query(description="Only this role.")] = None,
    active: Annotated[bool | None, Query(description="Only those that may sign in, or only the others.")] = None,
) -> Page[UserReply]:
    """Administrators only."""
    return service.list_users(context, paging, role=role, active=active)


@router.post("/users", summary="Make a user", status_code=201, responses={200: {"model": UserReply}, 409: {}})
def create_user(asking: Admin, context: Context, body: UserCreate, answer: Answered) -> UserReply:
    """Administrators only; the same request again answers 200 with the same user."""
    user, new = service.create_user(context, asking, body)
    answer.created(f"/users/{user.id}", new=new)
    return answer.of(user)


@router.get("/users/me", summary="Who I am")
def get_me(asking: Asking, context: Context, answer: Read) -> UserReply:
    """The signed-in user."""
    if asking.user_id is None:
        raise PermissionDenied("person-needed")
    return answer.of(service.get_user(context, asking.user_id))


@router.put("/users/me/password", summary="Choose a new password", status_code=204, responses={429: {}})
@signing_in
def change_password(
    asking: Asking, context: Context, body: PasswordChange, address: ClientAddress, expected: IfMatch
) -> None:
    """Needs the present password; every session of the user ends."""
    service.change_own_password(context, asking, body.current_password, body.new_password, address, expected)


@router.get("/users/{user_id}", summary="One user", dependencies=ADMIN_ONLY)
def get_user(user_id: NamedId, context: Context, answer: Read) -> UserReply:
    """Administrators only."""
    return answer.of(service.get_user(context, user_id))


@router.put("/users/{user_id}", summary="Change a user", responses={409: {}})
def update_user(
    user_id: NamedId, asking: Admin, context: Context, body: UserUpdate, answer: Answered, expected: IfMatch
) -> UserReply:
    """Administrators only; a disabled user is signed out everywhere."""
    return answer.of(service.update_user(context, asking, user_id, body, expected))


@router.delete("/users/{user_id}", summary="Delete a user", status_code=204, responses={409: {}})
def delete_user(user_id: NamedId, asking: Admin, context: Context, expected: IfMatch) -> None:
    """Administrators only; what the user did stays."""
    service.delete_user(context, asking, user_id, expected)


@router.put("/users/{user_id}/password", summary="Give a user a new password", status_code=204)
@signing_in
def set_password(user_id: NamedId, asking: Admin, context: Context, body: PasswordSet, expected: IfMatch) -> None:
    """Administrators only; the user is signed out everywhere."""
    service.set_password(context, asking, user_id, body.password, expected)


@router.get("/api-keys", summary="List API keys", dependencies=ADMIN_ONLY)
def list_keys(
    context: Context,
    paging: KeyPaging,
    role: Annotated[Role | None, Query(description="Only this role.")] = None,
    revoked: Annotated[bool | None, Query(description="Only those that are withdrawn, or only the others.")] = None,
) -> Page[ApiKeyReply]:
    """Administrators only; the keys themselves are not kept."""
    return keys.list_keys(context, paging, role=role, revoked=revoked)


@router.post("/api-keys", summary="Make an API key", status_code=201)
@shown_once
def create_key(asking: Admin, context: Context, body: ApiKeyCreate, answer: Answered) -> ApiKeyCreated:
    """Administrators only; the key is shown this once."""
    made = keys.create_key(context, asking, body)
    answer.created(f"/api-keys/{made.id}")
    return made


@router.get("/api-keys/{key_id}", summary="One API key", dependencies=ADMIN_ONLY)
def get_key(key_id: NamedId, context: Context, answer: Read) -> ApiKeyReply:
    """Administrators only; the key itself is not kept."""
    return answer.of(keys.get_key(context, key_id))


@router.delete("/api-keys/{key_id}", summary="Revoke an API key", status_code=204)
def revoke_key(key_id: NamedId, asking: Admin, context: Context, expected: IfMatch) -> None:
    """Administrators only; the key becomes invalid at once."""
    keys.revoke_key(context, asking, key_id, expected)
