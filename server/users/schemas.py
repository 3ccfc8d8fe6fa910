"""Users and API keys on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from models.numbers import Whole
from models.states import ApiScope, Role
from sync.shared.schemas import (
    LEFT_OUT,
    Changes,
    Flag,
    GivenMoment,
    Id,
    Moment,
    Name,
    OptionalName,
    RecordId,
    Reply,
    Request,
    Text,
    Username,
    read_only,
)

_SECRET: JsonDict = {"format": "password"}


class UserCreate(Request):
    """A new user."""

    id: RecordId | None = None
    username: Username
    display_name: OptionalName = ""
    role: Role
    language: Literal["ja", "en"] = "ja"
    password: str = Field(min_length=1, max_length=256, json_schema_extra=_SECRET)


class UserUpdate(Changes):
    """Changes to a user; what is left out stays."""

    display_name: OptionalName = LEFT_OUT
    role: Role = Field(default=LEFT_OUT)
    language: Literal["ja", "en"] = Field(default=LEFT_OUT)
    active: Flag = Field(default=LEFT_OUT)
    id: RecordId = read_only()
    username: Text = read_only()
    created_at: GivenMoment = read_only()
    updated_at: GivenMoment = read_only()
    rev: Whole = read_only()


class UserReply(Reply):
    """A user."""

    id: Id
    username: str
    display_name: str
    role: Role
    language: str
    active: bool
    created_at: Moment
    updated_at: Moment
    rev: int | None


class PasswordSet(Request):
    """A new password that an administrator gives."""

    password: str = Field(min_length=1, max_length=256, json_schema_extra=_SECRET)


class PasswordChange(Request):
    """A new password that a user chooses."""

    current_password: str = Field(min_length=1, max_length=256, json_schema_extra=_SECRET)
    new_password: str = Field(min_length=1, max_length=256, json_schema_extra=_SECRET)


class ApiKeyCreate(Request):
    """A new key for a machine."""

    name: Name
    role: Role
    expires_at: GivenMoment | None = None
    scopes: list[ApiScope] = Field(
        default=[], max_length=20, description="Parts of the API that the key is limited to; empty: all of its role."
    )


class ApiKeyReply(Reply):
    """A key, without the key itself."""

    id: Id
    name: str
    role: Role
    scopes: list[ApiScope]
    created_by: str = Field(description="Who made it, as in the audit trail; empty when that is not known.")
    created_by_id: Id | None = Field(description="The user with whose access it ends; null: at the command line.")
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None


class ApiKeyCreated(ApiKeyReply):
    """A new key; ``key`` is shown this once."""

    key: str
