"""Record ids: UUIDv7 (RFC 9562), made by whoever creates the record, sortable by time of creation."""

from __future__ import annotations

import uuid

import uuid_utils


def new_id() -> str:
    """Return a new UUIDv7 in its canonical lower-case form."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Return whether ``text`` is a UUID in canonical form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def canonical_id(text: str) -> str:
    """Return an id in canonical form when it only differs in case; anything else as it is."""
    lower = text.lower()
    return lower if is_id(lower) else text
