"""What the keyring keeps of the credentials that people give."""

from __future__ import annotations

import keyring
import keyring.backends.fail
import pytest

from sync.station.credentials import CredentialStore
from tests.support.keyrings import Keys

DEVICE = "0198c0de-0000-7000-8000-000000000001"


@pytest.fixture
def keys():
    before, made = keyring.get_keyring(), Keys()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def trying(*, accepted: bool | None) -> CredentialStore:
    """Return a store that keeps "good" and tries "other", which the server has judged so."""
    store = CredentialStore()
    store.set(DEVICE, "good")
    store.try_out(DEVICE, "other")
    if accepted is not None:
        store.checked(DEVICE, "other", accepted=accepted)
    return store


@pytest.mark.parametrize(("accepted", "used"), [(None, "other"), (True, "other"), (False, "good")])
def test_a_given_credential_is_used_until_the_server_refuses_it(keys, accepted, used):
    assert trying(accepted=accepted).get(DEVICE) == used


@pytest.mark.parametrize(("accepted", "kept"), [(None, "good"), (True, "other"), (False, "good")])
def test_a_given_credential_is_kept_only_once_the_server_accepts_it(keys, accepted, kept):
    trying(accepted=accepted)
    assert CredentialStore().get(DEVICE) == kept


def test_a_kept_credential_that_is_refused_stays(keys):
    store = CredentialStore()
    store.set(DEVICE, "good")
    store.checked(DEVICE, "good", accepted=False)
    assert CredentialStore().get(DEVICE) == "good"


def test_a_verdict_on_another_credential_says_nothing_of_the_given_one(keys):
    store = trying(accepted=None)
    store.checked(DEVICE, "good", accepted=False)
    assert store.get(DEVICE) == "other"


def test_without_a_keyring_an_accepted_credential_lasts_as_long_as_the_process():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        assert trying(accepted=True).get(DEVICE) == "other"
    finally:
        keyring.set_keyring(before)
