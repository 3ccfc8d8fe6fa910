"""Who works at the station, and what that person may do there."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import PermissionDenied
from models.states import Role

_INSPECTS = frozenset({Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN})
_TRAINS = frozenset({Role.SUPERVISOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A person who has signed in at this station.

    Attributes:
        online: whether the server was asked; False for a sign-in with the password kept on this station.
    """

    user_id: str
    username: str
    display_name: str
    role: Role
    language: str
    online: bool

    @property
    def may_inspect(self) -> bool:
        """Whether the person may inspect parts."""
        return self.role in _INSPECTS

    @property
    def may_train(self) -> bool:
        """Whether the person may train models and change items."""
        return self.role in _TRAINS


def require_inspector(user: SignedInUser) -> None:
    """Check that ``user`` may inspect.

    Raises:
        PermissionDenied: ``role-not-enough``.
    """
    _require(user, allowed=user.may_inspect, wanted=Role.INSPECTOR)


def require_trainer(user: SignedInUser) -> None:
    """Check that ``user`` may train models and change items.

    Raises:
        PermissionDenied: ``role-not-enough``.
    """
    _require(user, allowed=user.may_train, wanted=Role.SUPERVISOR)


def _require(user: SignedInUser, *, allowed: bool, wanted: Role) -> None:
    if not allowed:
        raise PermissionDenied("role-not-enough", username=user.username, role=user.role.value, wanted=wanted.value)
