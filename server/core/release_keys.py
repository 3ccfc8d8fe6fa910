"""The key that signs releases: Ed25519, made at the first release, kept in the data folder."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from models.errors import InvalidInput
from models.storage import create_once
from server.core.data_folder import data_dir_unusable
from server.core.kept_keys import no_key
from server.core.settings import ServerSettings
from sync.shared.releases import SignedRelease, StagedRelease, stage_statement, statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

RELEASE_KEY_FILE = "release.key"


def sign(settings: ServerSettings, release: SignedRelease) -> str:
    """Return the signature of a release, base64; ``Unavailable`` and ``InvalidInput`` as ``public_key``."""
    return base64.b64encode(_key(settings).sign(statement(release))).decode()


def sign_stage(settings: ServerSettings, release: StagedRelease) -> str:
    """Return the signature of a release's stage, base64; ``Unavailable`` and ``InvalidInput`` as ``public_key``."""
    return base64.b64encode(_key(settings).sign(stage_statement(release))).decode()


def public_key(settings: ServerSettings) -> str:
    """Return the public key, which stations keep from enrolment on: raw, base64.

    Raises:
        InvalidInput: ``server-settings-invalid`` when the file holds no key.
        Unavailable: ``disk-full`` or ``server-data-dir`` when the file cannot be read or made.
    """
    return base64.b64encode(_key(settings).public_key().public_bytes_raw()).decode()


def _key(settings: ServerSettings) -> Ed25519PrivateKey:
    # Loaded with the first station that enrols or the first release.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = settings.data_dir / RELEASE_KEY_FILE
    try:
        if not path.exists():
            # Of several servers that start at once the first one's key is kept.
            create_once(path, base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()), mode=0o600)
        text = path.read_bytes()
    except OSError as error:
        raise data_dir_unusable(settings.data_dir, error) from error
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise InvalidInput("server-settings-invalid", setting=RELEASE_KEY_FILE, reason=no_key()) from error
