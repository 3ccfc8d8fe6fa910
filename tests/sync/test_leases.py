"""The rule by which the server tells a station's own store from a copy, as a function of values."""

from __future__ import annotations

import pytest

from models.ids import new_id
from models.states import StoreState
from sync.shared.leases import ClaimDecision, KnownStore, Lease, decide
from sync.shared.protocol import StoreClaim

ONE, TWO, THREE, ZERO = new_id(), new_id(), new_id(), new_id()
CURRENT = KnownStore(ONE, StoreState.CURRENT, "5-00000000000000aa", "m")
PARENT = KnownStore(ZERO, StoreState.RETIRED, "3-00000000000000aa", "m")


def claim(store: str = ONE, held: str = "", following: str = "9-00000000000000ff", **fields) -> StoreClaim:
    return StoreClaim(store_id=store, held=held, next=following, **{"machine": "m", **fields})


def decided(given: StoreClaim, current=CURRENT, own=None, parent=None) -> ClaimDecision:
    return decide(given, current, own if own is not None else (current if given.store_id == ONE else None), parent)


def test_the_first_store_becomes_the_stations_own():
    assert decided(claim(TWO), current=None) is ClaimDecision.BIND


def test_the_lease_that_was_confirmed_last_moves_on():
    assert decided(claim(held=CURRENT.lease)) is ClaimDecision.TAKE


def test_a_claim_repeated_after_a_cut_changes_nothing():
    assert decided(claim(held="4-00000000000000aa", following=CURRENT.lease)) is ClaimDecision.KEEP


@pytest.mark.parametrize("held", ["", "4-00000000000000aa", "5-00000000000000bb"])
def test_an_older_or_other_lease_is_that_of_a_copy(held):
    assert decided(claim(held=held)) is ClaimDecision.REFUSE


def test_a_newer_lease_shows_that_the_server_went_back():
    assert decided(claim(held="6-00000000000000aa")) is ClaimDecision.WENT_BACK


def test_the_right_lease_on_another_machine_is_that_of_a_copy():
    assert decided(claim(held=CURRENT.lease, machine="other")) is ClaimDecision.REFUSE


def test_a_machine_without_an_id_is_known_by_its_lease():
    assert decided(claim(held=CURRENT.lease, machine="")) is ClaimDecision.TAKE


def test_a_store_that_an_administrator_chose_begins_with_any_lease():
    chosen = KnownStore(ONE, StoreState.CURRENT, "", "m")
    assert decided(claim(), current=chosen) is ClaimDecision.TAKE


def test_a_restored_store_takes_the_place_of_its_parent():
    assert decided(claim(TWO, restored=True), parent=CURRENT) is ClaimDecision.BIND


def test_a_store_restored_once_more_takes_the_place_of_a_later_life():
    assert decided(claim(TWO, restored=True), parent=PARENT) is ClaimDecision.BIND


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({"restored": False}, CURRENT),
        ({"restored": True, "machine": "other"}, CURRENT),
        ({"restored": True}, None),
        ({"restored": True}, KnownStore(THREE, StoreState.REFUSED, "", "m")),
    ],
)
def test_any_other_store_is_refused(fields, parent):
    assert decided(claim(TWO, **fields), parent=parent) is ClaimDecision.REFUSE


def test_a_refused_store_is_not_taken_for_restored():
    known = KnownStore(TWO, StoreState.REFUSED, "", "m")
    assert decided(claim(TWO, restored=True), own=known, parent=CURRENT) is ClaimDecision.REFUSE


def test_the_text_of_a_lease_gives_the_lease():
    lease = Lease.parse("").following().following()
    assert (lease.epoch, Lease.parse(str(lease))) == (2, lease)
