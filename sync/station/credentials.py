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
        self._unproven: set[str] = set()

    def get(self, device_id: str) -> str | None:
        """Return the credential of a device, None when it is not known (any more)."""
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

    def set(self, device_id: str, credential: str, *, proven: bool = True) -> bool:
        """Keep a credential and say whether it outlasts this process.

        Args:
            device_id: whose it is.
            credential: what proves it.
            proven: the server gave or accepted it; one that a person typed may be wrong.
        """
        self._memory[device_id] = credential
        (self._unproven.discard if proven else self._unproven.add)(device_id)
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, device_id, credential)
        except KeyringError:
            return False
        return True

    def checked(self, device_id: str, credential: str, *, accepted: bool) -> None:
        """Record whether the server accepted a credential; one that was never accepted is removed.

        One that was right before is kept: an administrator may only have disabled the station for a while.
        """
        if self._memory.get(device_id) != credential or device_id not in self._unproven:
            return
        if accepted:
            self._unproven.discard(device_id)
        else:
            self.forget(device_id)

    def forget(self, device_id: str) -> None:
        """Forget the credential of a device."""
        self._memory.pop(device_id, None)
        self._unproven.discard(device_id)
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.delete_password(_SERVICE, device_id)
        except KeyringError:
            return
