"""The station's credential, in the operating system's keyring; never in a file of ours.

The keyring is loaded when a credential is first asked for: sign-in does not wait for it.
"""

from __future__ import annotations

_SERVICE = "ImageFlow Station"


class CredentialStore:
    """Keeps device credentials.

    Without a system keyring they are kept in memory only: the user is warned, and asked again after a restart.
    """

    def __init__(self) -> None:
        self._memory: dict[str, str] = {}
        self._tried: dict[str, str] = {}

    def get(self, device_id: str) -> str | None:
        """Return the credential of a device, one on trial before the kept one; None when there is none (any more)."""
        if device_id in self._tried:
            return self._tried[device_id]
        if device_id in self._memory:
            return self._memory[device_id]
        import keyring
        from keyring.errors import KeyringError

        try:
            found = keyring.get_password(_SERVICE, device_id)
        except KeyringError:
            return None
        if found is not None:
            self._memory[device_id] = found
        return found

    def set(self, device_id: str, credential: str) -> bool:
        """Keep a credential that the server gave or accepted, and say whether it outlasts this process."""
        self._tried.pop(device_id, None)
        self._memory[device_id] = credential
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, device_id, credential)
        except KeyringError:
            return False
        return True

    def try_out(self, device_id: str, credential: str) -> None:
        """Use a credential that a person gave, and that may be wrong, until the server has judged it.

        What is kept stays until then, in the keyring too: it may be the right one.
        """
        self._tried[device_id] = credential

    def checked(self, device_id: str, credential: str, *, accepted: bool) -> None:
        """Record whether the server accepted a credential: one on trial is kept from then on, or dropped.

        A kept one stays when it is refused: an administrator may only have disabled the station for a while.
        """
        if self._tried.get(device_id) != credential:
            return
        if accepted:
            self.set(device_id, credential)
        else:
            self._tried.pop(device_id, None)

    def forget(self, device_id: str) -> None:
        """Forget the credential of a device."""
        self._memory.pop(device_id, None)
        self._tried.pop(device_id, None)
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.delete_password(_SERVICE, device_id)
        except KeyringError:
            return
