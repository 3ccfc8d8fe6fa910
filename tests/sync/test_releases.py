"""What the signature of a release covers, and for whom one is meant."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.states import ReleaseState
from sync.shared.releases import is_meant_for, signature_holds, statement


@dataclass
class Signed:
    id: str = "r"
    item_id: str = "i"
    model_id: str = "m"
    replaces_id: str = "o"
    sha256: str = "a" * 64
    size_bytes: int = 3


def key_pair() -> tuple[Ed25519PrivateKey, str]:
    key = Ed25519PrivateKey.generate()
    return key, base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signature(key: Ed25519PrivateKey, release: Signed) -> str:
    return base64.b64encode(key.sign(statement(release))).decode()


def test_a_signature_holds_for_what_was_signed():
    key, public = key_pair()
    assert signature_holds(Signed(), signature(key, Signed()), public)


@pytest.mark.parametrize(
    "change",
    [{"id": "x"}, {"item_id": "x"}, {"model_id": "x"}, {"replaces_id": "x"}, {"sha256": "b" * 64}, {"size_bytes": 4}],
)
def test_a_signature_covers_every_member(change):
    key, public = key_pair()
    assert not signature_holds(replace(Signed(), **change), signature(key, Signed()), public)


def test_a_signature_of_another_server_does_not_hold():
    key, _ = key_pair()
    _, other = key_pair()
    assert not signature_holds(Signed(), signature(key, Signed()), other)


@pytest.mark.parametrize("broken", ["", "no base64!", base64.b64encode(b"short").decode()])
def test_what_is_no_signature_does_not_hold(broken):
    _, public = key_pair()
    assert not signature_holds(Signed(), broken, public)
    assert not signature_holds(Signed(), base64.b64encode(bytes(64)).decode(), broken)


@pytest.mark.parametrize(
    ("state", "stations", "meant"),
    [
        (ReleaseState.DRAFT, ["one"], False),
        (ReleaseState.STAGED, ["one"], True),
        (ReleaseState.STAGED, ["two"], False),
        (ReleaseState.RELEASED, [], True),
        (ReleaseState.ROLLED_BACK, ["one"], False),
    ],
)
def test_a_release_is_meant_for_its_stage(state, stations, meant):
    assert is_meant_for(state, stations, "one") is meant
