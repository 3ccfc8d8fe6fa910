"""Record ids: UUIDv7 (RFC 9562), made by whoever creates the record, sortable by time of creation."""

from __future__ import annotations

import re

import uuid_utils

_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a new UUIDv7 in its canonical lower-case form."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Return whether ``text`` is a UUID in canonical form."""
    return _CANONICAL.fullmatch(text) is not None


def canonical_id(text: str) -> str:
    """Return an id in canonical form when it only differs in case; anything else as it is."""
    if is_id(text):  # most are
        return text
    lower = text.lower()
    return lower if is_id(lower) else text
