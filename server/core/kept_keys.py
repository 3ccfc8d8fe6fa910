"""Keys that a server makes for itself at the first start, each in a file for its own user."""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import SecretStr

from models.errors import InvalidInput
from models.messages import LocalText
from models.storage import create_once
from server.core.data_folder import data_dir_unusable

KEY_LENGTH = 32
"""Least characters of a key, made or given."""


def given_or_kept_key(given: SecretStr | None, folder: Path, name: str) -> str:
    """Return the key of a setting where it is given, else that of ``kept_key``.

    Raises:
        InvalidInput, Unavailable: as ``kept_key``.
    """
    return kept_key(folder, name) if given is None else given.get_secret_value()


def kept_key(folder: Path, name: str) -> str:
    """Return the key in a file, which is made when it is not there (mode 0600).

    Args:
        folder: the server's data folder.
        name: of the file.

    Raises:
        InvalidInput: ``server-settings-invalid`` when the file holds no key.
        Unavailable: ``disk-full`` or ``server-data-dir`` when the file cannot be read or made.
    """
    path = folder / name
    try:
        if not path.exists():
            # Of several servers that start at once the first one's key is kept.
            create_once(path, secrets.token_urlsafe(48).encode("ascii"), mode=0o600)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise data_dir_unusable(folder, error) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("server-settings-invalid", setting=name, reason=no_key()) from error
    if len(key) < KEY_LENGTH:
        raise InvalidInput("server-settings-invalid", setting=name, reason=no_key())
    return key


def no_key() -> LocalText:
    """Return what is wrong with a file that should hold a key and does not."""
    return LocalText.of("value-no-key", {})
