"""The station's credential, in the operating system's keyring; never in a file of ours."""

from __future__ import annotations

import keyring
from keyring.errors import KeyringError

_SERVICE = "ImageFlow Station"


class CredentialStore:
    """Keeps device credentials.

    Where the system has no keyring they are kept in memory alone: the person is told, and asked again after a restart.
    """

    def __init__(self) -> None:
        self._memory: dict[str, str] = {}

    def get(self, device_id: str) -> str | None:
        """Return the credential of a device, None when it is not known (any more)."""
        if device_id in self._memory:
            return self._memory[device_id]
        try:
            found = keyring.get_password(_SERVICE, device_id)
        except KeyringError:
            return None
        if found is not None:
            self._memory[device_id] = found
        return found

    def set(self, device_id: str, credential: str) -> bool:
        """Keep a credential and say whether it outlasts this process."""
        self._memory[device_id] = credential
        try:
            keyring.set_password(_SERVICE, device_id, credential)
        except KeyringError:
            return False
        return True

    def forget(self, device_id: str) -> None:
        """Forget the credential of a device."""
        self._memory.pop(device_id, None)
        try:
            keyring.delete_password(_SERVICE, device_id)
        except KeyringError:
            return
