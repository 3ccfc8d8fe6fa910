"""Random secrets that are given out once and kept as digests: API keys, device credentials, enrolment codes."""

from __future__ import annotations

import hmac
import secrets

from models.storage import sha256_of

# Without letters and digits that are taken for one another when a person types the code.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 4, 4


def new_secret(prefix: str) -> str:
    """Return ``prefix`` and 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def new_code() -> str:
    """Return a code of 80 random bits that a person can read out and type: ``XXXX-XXXX-XXXX-XXXX``."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def normalised_code(typed: str) -> str:
    """Return the code as it was given out, whatever spaces, hyphens and case a person typed."""
    plain = "".join(letter for letter in typed.upper() if letter.isalnum())
    return "-".join(plain[start : start + _GROUP] for start in range(0, len(plain), _GROUP))


def digest_of(secret: str) -> str:
    """Return the SHA-256 digest by which a random secret is known; a slow hash adds nothing to random bits."""
    return sha256_of(secret.encode())


def same_digest(left: str, right: str) -> bool:
    """Compare digests in constant time."""
    return hmac.compare_digest(left, right)
