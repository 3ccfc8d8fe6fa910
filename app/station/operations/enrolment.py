"""Making this station one of a server's devices."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import Conflict, InvalidInput, NotSignedIn, Unavailable
from sync.shared.problems import DEVICE_REFUSED, code_of
from sync.station.client import ServerClient
from sync.station.new_device import HeldCounts, held_counts
from sync.station.status import SyncStatus, stored_status

if TYPE_CHECKING:
    from app.station.workspace import Workspace
    from sync.shared.enrolment import DeviceRegistered


_AT_ENROLMENT = {
    "server-unreachable": "enrolment-server-unreachable",
    "server-too-slow": "enrolment-server-too-slow",
    "server-failing": "enrolment-server-failing",
}
"""Nothing is inspected or sent before enrolment, so what is advised on an enrolled station does not hold."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A station that belongs to a server now.

    Attributes:
        credential_kept: whether the system's keyring keeps the device credential.
        credential: the device credential, only when the keyring does not keep it: shown once, asked for at the next
            start.
    """

    device_id: str
    credential_kept: bool
    credential: str | None


def enrol(workspace: Workspace, *, server_url: str, code: str, name: str = "") -> Enrolment:
    """Enrol this station with the server at ``server_url`` by a one-time code of its administrator.

    Raises:
        Conflict: ``already-enrolled``.
        InvalidInput: ``server-address-incomplete``.
        Unavailable: ``enrolment-server-unreachable``, ``enrolment-server-too-slow`` or ``enrolment-server-failing``;
            ``server-not-ours``.
        UserFacingError: when the server refuses the code; it says why.
    """
    if workspace.enrolled:
        raise Conflict("already-enrolled", server=workspace.server_url)
    address = _address(server_url)
    registration = _registered(workspace, address, code, name, None)
    kept = workspace.adopt(
        server_url=address,
        device_id=registration.device_id,
        credential=registration.credential,
        release_key=registration.release_key,
    )
    return Enrolment(registration.device_id, kept, None if kept else registration.credential)


def _address(typed: str) -> str:
    """Return a server's address as it was meant: an input method for Japanese may write it in full width."""
    address = unicodedata.normalize("NFKC", typed).strip().rstrip("/")
    if not address.lower().startswith(("http://", "https://")):
        raise InvalidInput("server-address-incomplete", server=address)
    return address


def _registered(
    workspace: Workspace, address: str, code: str, name: str, former: tuple[str, str] | None
) -> DeviceRegistered:
    client = ServerClient(
        address, timeout_s=workspace.settings.request_timeout_s, language=lambda: workspace.text_language
    )
    try:
        return client.register_device(code.strip(), name.strip(), former)
    except Unavailable as error:
        if error.code not in _AT_ENROLMENT:
            raise
        raise Unavailable(_AT_ENROLMENT[error.code], members=error.members, **error.values) from error
    finally:
        client.close()


def enrol_anew(
    workspace: Workspace, *, server_url: str | None = None, code: str, name: str = "", send_all: bool = False
) -> Enrolment:
    """Make this computer a new station, at the same server or another one, with what it has recorded.

    For a copy of another station's store, for a station that was revoked, and for a server that was made anew. What was
    not acknowledged goes to the new server; see ``become_device`` for the rule.

    Args:
        workspace: the store, opened exclusively.
        server_url: address of the server; None takes that of the present one.
        code: of an administrator of it.
        name: of the new station; empty takes the administrator's.
        send_all: also send everything else that is held here and that the server lacks.

    Raises:
        Conflict: ``not-enrolled``.
        InvalidInput: ``server-address-incomplete``.
        Unavailable: as ``enrol``.
        UserFacingError: when the server refuses the code; it says why.
    """
    former_id = workspace.require_device()
    address = _address(server_url or workspace.link.server_url)
    credential = workspace.credential
    registration = _registered(workspace, address, code, name, (former_id, credential) if credential else None)
    kept = workspace.adopt_anew(address, registration, send_all=send_all)
    return Enrolment(registration.device_id, kept, None if kept else registration.credential)


def held_here(workspace: Workspace) -> tuple[HeldCounts, SyncStatus]:
    """Return what an enrolled station holds, and what of it waits, to show before it is set up anew.

    Raises:
        Conflict: ``not-enrolled``.
    """
    return held_counts(workspace.database, workspace.require_device()), stored_status(workspace.database)


def supply_credential(workspace: Workspace, credential: str) -> bool:
    """Give the station the credential its keyring does not hold; return whether the keyring keeps it now.

    Tried unchecked when the server does not answer: it is kept once the server accepts it, and what was kept before
    stays until then.

    Raises:
        Conflict: ``not-enrolled``.
        NotSignedIn: ``window-credential-wrong`` when the server refuses it; the one there was stays.
        UserFacingError: what else the server refuses.
    """
    device_id, server_url, typed = workspace.require_device(), workspace.link.server_url, credential.strip()
    client = ServerClient(
        server_url,
        device_id=device_id,
        credential=lambda: typed,
        timeout_s=workspace.settings.request_timeout_s,
        language=lambda: workspace.text_language,
    )
    try:
        client.authenticate_device()
    except Unavailable:
        workspace.try_credential(typed)
        return False
    except NotSignedIn as error:
        if code_of(error) != DEVICE_REFUSED:
            raise
        raise NotSignedIn("window-credential-wrong", server=server_url) from error
    finally:
        client.close()
    return workspace.keep_credential(typed)
