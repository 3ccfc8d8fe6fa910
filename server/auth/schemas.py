"""Sign-in on the wire, beside what stations and server share."""

from __future__ import annotations

from typing import Literal

from models.states import Role
from sync.shared.schemas import Id, Reply


class Identity(Reply):
    """Who a request comes from.

    Attributes:
        kind: ``user``, ``machine`` (an API key) or ``station`` (by itself).
    """

    kind: Literal["user", "machine", "station"]
    user_id: Id | None
    username: str
    display_name: str
    role: Role | None
    language: str | None
    device_id: str | None
