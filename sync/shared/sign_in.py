"""Sign-in on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sync.shared.schemas import Reply, Request, Text


class LoginRequest(Request):
    """Name and password."""

    username: Text = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256, json_schema_extra={"format": "password"})


class StationLoginRequest(LoginRequest):
    """User and device together."""

    device_id: str = Field(min_length=1, max_length=64)
    credential: str = Field(min_length=1, max_length=256, json_schema_extra={"format": "password"})


class DeviceLoginRequest(Request):
    """A station by itself, to synchronise while nobody is signed in."""

    device_id: str = Field(min_length=1, max_length=64)
    credential: str = Field(min_length=1, max_length=256, json_schema_extra={"format": "password"})


class RefreshRequest(Request):
    """The refresh token of the pair before; it is good once."""

    refresh_token: str = Field(min_length=1, max_length=4_096)


class TokenPair(Reply):
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme, not a token
    expires_in: int = Field(description="Seconds the access token is good for.")


class DeviceToken(Reply):
    """An access token of a station alone."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme, not a token
    expires_in: int = Field(description="Seconds the token is good for.")
