"""Masters that stations offer after a restore, over REST."""

from __future__ import annotations

import pytest

from models.ids import new_id

pytestmark = pytest.mark.slow
CLOCK = "1760000000000-0000-server"


@pytest.fixture
def lost(served) -> str:
    """The id of a target that a station holds and the server does not."""
    target_id = new_id()
    held = {"entity": "target", "entity_id": target_id, "clock": CLOCK, "foreign_clock": CLOCK, "label": "T-1"}
    answer = served["device"].post("/inspection/sync/compare", json={"records": [held], "blobs": []})
    assert answer.json()["masters"][0]["entity_id"] == target_id
    return target_id


def offers(served) -> dict[str, dict]:
    return {row["entity_id"]: row for row in served["admin"].get("/inspection/sync/offers").json()}


def test_the_administrator_sees_what_is_offered(served, lost):
    row = offers(served)[lost]
    assert (row["entity"], row["label"], row["taken_at"]) == ("target", "T-1", None)


def test_what_is_named_is_taken(served, lost):
    answer = served["admin"].post("/inspection/sync/offers/take", json={"entity_ids": [lost]})
    assert [row["entity_id"] for row in answer.json()] == [lost]
    assert offers(served)[lost]["taken_at"] is not None


def test_all_that_is_offered_is_taken_at_once(served, lost):
    served["admin"].post("/inspection/sync/offers/take", json={})
    assert offers(served)[lost]["taken_at"] is not None


def test_what_nobody_offers_cannot_be_taken(served):
    answer = served["admin"].post("/inspection/sync/offers/take", json={"entity_ids": [new_id()]})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (404, "offer-unknown")


@pytest.mark.parametrize("role", ["inspector", "supervisor", "integrator", "device"])
def test_only_an_administrator_takes_an_offer(served, lost, role):
    assert served[role].post("/inspection/sync/offers/take", json={"entity_ids": [lost]}).status_code == 403
    assert served[role].get("/inspection/sync/offers").status_code == 403
