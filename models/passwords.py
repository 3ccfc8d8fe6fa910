"""The form of a password that is hashed, the same on the server and on stations (NIST SP 800-63B, section 3.1.1.2)."""

from __future__ import annotations

from models.names import compatible


def prepared(password: str) -> str:
    """Return a password in Unicode's form NFKC: keyboards differ in the form and width of what they send."""
    return compatible(password)


def spellings(password: str) -> tuple[str, ...]:
    """Return the forms in which a digest may have been made: ``prepared``, and as typed in digests of before."""
    return tuple(dict.fromkeys((prepared(password), password)))
