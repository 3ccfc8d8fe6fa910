"""Releases of models as both sides see them: what is signed, and for which stations a release is meant."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from models.clock import rfc3339
from models.states import ReleaseState

RELEASE_KEY = "release_key"
"""Under which a station keeps the public key of its server's releases."""


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


class StagedRelease(SignedRelease, Protocol):
    """The members of a release that the signature of its stage covers too."""

    state: ReleaseState
    stations: list[Any]
    released_at: datetime | None
    signature: str


def stage_statement(release: StagedRelease) -> bytes:
    """Return what the server signs with each step of a release: who is to inspect with it, and since when.

    Without it whoever can write the server's database, but has not its key, could give a release to more stations.
    """
    signed = {
        "release": release.id,
        "signature": release.signature,
        "state": release.state.value,
        "stations": sorted(release.stations),
        "since": rfc3339(release.released_at) if release.released_at is not None else None,
    }
    return json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()


def signature_holds(release: SignedRelease, signature: str, public_key: str) -> bool:
    """Return whether ``signature`` (base64) is that of the holder of ``public_key`` (raw Ed25519, base64)."""
    return _holds(statement(release), signature, public_key)


def stage_holds(release: StagedRelease, stage_signature: str, public_key: str) -> bool:
    """Return whether the stage of a release was signed by the holder of ``public_key`` (raw Ed25519, base64)."""
    return _holds(stage_statement(release), stage_signature, public_key)


def _holds(signed: bytes, signature: str, public_key: str) -> bool:
    # Loaded with the first release: a station without one needs no cryptography.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def is_meant_for(state: ReleaseState, stations: Collection[str], device_id: str) -> bool:
    """Return whether a station shall inspect with a release."""
    return state is ReleaseState.RELEASED or (state is ReleaseState.STAGED and device_id in stations)
