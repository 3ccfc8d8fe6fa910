"""Releases of models as both sides see them: what is signed, and for which stations a release is meant."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from typing import Protocol

from models.states import ReleaseState


class SignedRelease(Protocol):
    """The members of a release that its signature covers."""

    id: str
    item_id: str
    model_id: str
    replaces_id: str
    sha256: str
    size_bytes: int


def statement(release: SignedRelease) -> bytes:
    """Return what the server signs: which bytes are released for which item in place of which model.

    Canonical JSON: sorted keys, no spaces, UTF-8.
    """
    signed = {
        "release": release.id,
        "item": release.item_id,
        "model": release.model_id,
        "replaces": release.replaces_id,
        "sha256": release.sha256,
        "size": release.size_bytes,
    }
    return json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()


def signature_holds(release: SignedRelease, signature: str, public_key: str) -> bool:
    """Return whether ``signature`` (base64) is that of the holder of ``public_key`` (raw Ed25519, base64)."""
    # Loaded with the first release: a station without one needs no cryptography.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), statement(release))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def is_meant_for(state: ReleaseState, stations: Collection[str], device_id: str) -> bool:
    """Return whether a station shall inspect with a release."""
    return state is ReleaseState.RELEASED or (state is ReleaseState.STAGED and device_id in stations)
