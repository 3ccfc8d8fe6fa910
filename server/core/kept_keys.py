"""Keys that a server makes for itself at the first start, each in a file for its own user."""

from __future__ import annotations

import secrets
from pathlib import Path

from models.errors import InvalidInput, Unavailable
from models.storage import create_once

KEY_LENGTH = 32
"""Least characters of a key, made or given."""


def kept_key(folder: Path, name: str) -> str:
    """Return the key in a file, which is made when it is not there (mode 0600).

    Args:
        folder: the server's data folder.
        name: of the file.

    Raises:
        InvalidInput: ``server-settings-invalid`` when the file holds no key.
        Unavailable: ``server-data-dir`` when the file cannot be read or made.
    """
    path = folder / name
    try:
        if not path.exists():
            # Of several servers that start at once the first one's key is kept.
            create_once(path, secrets.token_urlsafe(48).encode("ascii"), mode=0o600)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable("server-data-dir", folder=str(folder), reason=str(error)) from error
    if len(key) < KEY_LENGTH:
        raise InvalidInput("server-settings-invalid", setting=name, reason="the file is too short")
    return key
