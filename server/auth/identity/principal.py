"""Who a request comes from."""

from __future__ import annotations

from dataclasses import dataclass

from models.names import OF_DEVICE
from models.states import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a station, both together, or a machine with an API key.

    Attributes:
        user_id: None for a station or a machine by itself.
        username: its name in audit entries: the user's name, ``device:<id>`` or ``key:<name>``.
        role: None for a station by itself.
        device_id: the station that the token was given to, else None.
        session_id: the signed-in session, else None.
        key_maker_id: of a machine, the user who made its key, when known.
        scopes: of a machine, the parts of the API that its key is limited to; empty leaves it to the role.
        address: that a request comes from; empty where there is none.
    """

    user_id: str | None
    username: str
    role: Role | None
    device_id: str | None
    session_id: str | None = None
    key_maker_id: str | None = None
    scopes: frozenset[str] = frozenset()
    address: str = ""

    @property
    def answers_id(self) -> str | None:
        """The user who answers for what this principal makes; None at the server's command line."""
        return self.user_id or self.key_maker_id

    @classmethod
    def of_device(cls, device_id: str) -> Principal:
        """Return a station by itself."""
        return cls(None, f"{OF_DEVICE}{device_id}"[:64], None, device_id)
