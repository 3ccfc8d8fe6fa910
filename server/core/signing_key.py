"""The key that signs tokens."""

from __future__ import annotations

from server.core.kept_keys import given_or_kept_key
from server.core.settings import ServerSettings

SECRET_FILE = "jwt-secret"  # noqa: S105 - the name of the file, not what is in it


def signing_key(settings: ServerSettings) -> str:
    """Return the key that signs tokens: from the environment, or from a file made at the first start (mode 0600).

    Raises:
        InvalidInput, Unavailable: as ``kept_key``.
    """
    return given_or_kept_key(settings.jwt_secret, settings.data_dir, SECRET_FILE)
