"""What a stolen station's token opens: nothing of other stations, at any door of the synchronisation."""

from __future__ import annotations

import json

import httpx
import pytest

from models.clock import utc_now
from models.ids import new_id
from models.sessions import ImageRecord, InspectionSession
from models.storage import sha256_of
from tests.support.serving import Served, device_token, enrol, make_target

pytestmark = pytest.mark.slow
SECRET = b"image of another station"


@pytest.fixture
def victim(served: Served) -> InspectionSession:
    """A part of another station, with an image."""
    enrolled = enrol(served)
    target = make_target(served)
    part = InspectionSession(device_id=enrolled["device_id"], target_id=target["id"])
    image = ImageRecord(
        device_id=enrolled["device_id"],
        session_id=part.id,
        sha256=sha256_of(SECRET),
        size_bytes=len(SECRET),
        content_type="image/png",
        width=4,
        height=4,
        captured_at=utc_now(),
    )
    with served.context.database.transaction() as session:
        session.add(part)
        session.flush()
        session.add(image)
    served.context.objects.put(sha256_of(SECRET), SECRET)
    return part


@pytest.fixture
def thief(served: Served):
    """A client with the token of a station that has nothing to do with the other one."""
    with served.client(Authorization=f"Bearer {device_token(served, enrol(served))}") as client:
        yield client


def test_the_pull_has_nothing_of_another_station(thief: httpx.Client, victim):
    found: list[dict] = []
    cursor = None
    while True:
        answer = thief.get("/inspection/sync/changes", params={"since": cursor} if cursor else {}).json()
        found += answer["changes"]
        cursor = answer["next_cursor"]
        if not answer["has_more"]:
            break
    assert victim.id not in {change["entity_id"] for change in found}
    assert sha256_of(SECRET) not in json.dumps(found)


def test_the_snapshot_has_nothing_of_another_station(thief, victim):
    text = thief.get("/inspection/sync/download").text
    assert victim.id not in text
    assert sha256_of(SECRET) not in text


def test_a_blob_of_another_station_is_unknown(thief, victim):
    assert thief.get("/inspection/sync/download", params={"blob": sha256_of(SECRET)}).status_code == 404


def test_a_push_cannot_change_a_part_of_another_station(thief, victim, served):
    change = {
        "change_id": new_id(),
        "entity": "inspection_session",
        "entity_id": victim.id,
        "op": "update",
        "clock": "1760000000000-0000-thief",
        "fields": {"status": "CANCELLED"},
    }
    device_id = _device_of(thief)
    body = {"device_id": device_id, "batch_id": new_id(), "schema_version": 1, "changes": [change]}
    answer = thief.post("/inspection/sync/apply-changes", json=body).json()["results"][0]
    assert answer["problem"]["type"].endswith("/sync-other-device")
    with served.context.database.read() as session:
        assert session.get_one(InspectionSession, victim.id).status is victim.status


def test_a_comparison_gives_no_values_of_another_station(thief, victim):
    held = {"entity": "inspection_session", "entity_id": victim.id, "clock": ""}
    answer = thief.post("/inspection/sync/compare", json={"records": [held], "blobs": []})
    assert answer.json() == {"records": [], "blobs": [], "masters": []}


def test_the_drift_check_counts_nothing_of_another_station(thief, victim):
    asked = {"since": "2020-01-01", "entities": ["inspection_session", "image"], "days": []}
    assert thief.post("/inspection/sync/drift", json=asked).json() == {"differing": []}


def test_an_upload_reads_nothing_back(thief, victim):
    body = {"sha256": sha256_of(SECRET), "size": len(SECRET), "content_type": "image/png"}
    answer = thief.post("/inspection/sync/upload", json=body)
    assert set(answer.json()) == {"offset", "complete"}


def test_an_upload_of_a_digest_opens_no_download_of_it(thief, victim):
    body = {"sha256": sha256_of(SECRET), "size": len(SECRET), "content_type": "image/png"}
    thief.post("/inspection/sync/upload", json=body)
    assert thief.get("/inspection/sync/download", params={"blob": sha256_of(SECRET)}).status_code == 404


def test_the_stores_of_another_station_are_not_to_be_had(thief, victim):
    assert thief.get(f"/devices/{victim.device_id}/stores").status_code == 403


def _device_of(client: httpx.Client) -> str:
    import base64

    payload = client.headers["Authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
