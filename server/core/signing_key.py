"""The key that signs tokens."""

from __future__ import annotations

from server.core.kept_keys import kept_key
from server.core.settings import ServerSettings

SECRET_FILE = "jwt-secret"  # noqa: S105 - the name of the file, not what is in it


def signing_key(settings: ServerSettings) -> str:
    """Return the key that signs tokens: from the environment, or from a file made at the first start (mode 0600).

    Raises:
        InvalidInput: ``server-settings-invalid`` when the file holds no key.
        Unavailable: ``disk-full`` or ``server-data-dir`` when the file cannot be read or made.
    """
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    return kept_key(settings.data_dir, SECRET_FILE)
