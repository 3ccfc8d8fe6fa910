"""Who may pull, push and upload; functions of the principal."""

from __future__ import annotations

from models.errors import PermissionDenied
from models.states import Role
from server.auth.identity.principal import Principal

_READERS = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR})


def device_of(who: Principal) -> str:
    """Return the id of the station that asks.

    Raises:
        PermissionDenied: ``device-needed`` when it is none.
    """
    if who.device_id is None:
        raise PermissionDenied("device-needed")
    return who.device_id


def require_reader(who: Principal) -> None:
    """Check that ``who`` is a station, or a person or machine whose role covers all stations.

    Raises:
        PermissionDenied: ``role-not-allowed``.
    """
    if who.device_id is None and who.role not in _READERS:
        raise PermissionDenied("role-not-allowed", roles=", ".join(sorted(role.value for role in _READERS)))


def upload_owner(who: Principal) -> str:
    """Return the name under which an unfinished upload is staged: the station's id, or the user's name.

    Raises:
        PermissionDenied: ``role-not-allowed``.
    """
    require_reader(who)
    return who.device_id or who.username
