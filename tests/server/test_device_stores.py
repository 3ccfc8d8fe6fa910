"""The stores under a station's id over REST: who sees them, and who decides."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import pytest

from models.ids import new_id
from tests.support.serving import device_token, enrol

pytestmark = pytest.mark.slow
LEASE = "1-00000000000000{:02x}"


def claim(store_id: str, lease: int = 1) -> dict[str, str]:
    return {"store_id": store_id, "next": LEASE.format(lease)}


@dataclass
class TwoStores:
    """A station with one store that is its own and one that is refused."""

    device_id: str
    client: httpx.Client
    own: str = field(default_factory=new_id)
    refused: str = field(default_factory=new_id)

    def begin(self, body: dict[str, str]) -> httpx.Response:
        return self.client.post("/inspection/sync/begin", json=body)


@pytest.fixture
def station(served):
    enrolled = enrol(served)
    with served.client(Authorization=f"Bearer {device_token(served, enrolled)}") as client:
        made = TwoStores(enrolled["device_id"], client)
        assert made.begin(claim(made.own)).status_code == 200
        assert made.begin(claim(made.refused, 2)).status_code == 409
        yield made


def test_a_second_store_is_refused_with_its_code(station):
    answer = station.begin(claim(station.refused, 2))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (409, "store-forked")


def test_a_claim_may_carry_an_idempotency_key(served):
    headers = {"Authorization": f"Bearer {device_token(served, enrol(served))}", "Idempotency-Key": new_id()}
    with served.client(**headers) as client:
        body = claim(new_id())
        answers = [client.post("/inspection/sync/begin", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_an_administrator_sees_the_stores_of_a_station(served, station):
    found = served["admin"].get(f"/devices/{station.device_id}/stores").json()
    assert [(store["id"], store["state"]) for store in found] == [
        (station.own, "current"),
        (station.refused, "refused"),
    ]


def test_the_chosen_store_goes_on(served, station):
    answer = served["admin"].put(f"/devices/{station.device_id}/store", json={"store_id": station.refused})
    assert answer.json()["state"] == "current"
    assert station.begin(claim(station.refused, 3)).status_code == 200
    assert station.begin(claim(station.own)).status_code == 409


def test_the_store_of_another_station_cannot_be_chosen(served, station):
    other = enrol(served)["device_id"]
    answer = served["admin"].put(f"/devices/{other}/store", json={"store_id": station.own})
    assert answer.status_code == 404


@pytest.mark.parametrize("role", ["inspector", "supervisor", "integrator", "device"])
def test_only_an_administrator_chooses_a_store(served, station, role):
    answer = served[role].put(f"/devices/{station.device_id}/store", json={"store_id": station.refused})
    assert answer.status_code == 403


def test_a_person_begins_no_pass(served):
    assert served["admin"].post("/inspection/sync/begin", json=claim(new_id())).status_code == 403
