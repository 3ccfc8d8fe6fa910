"""``/inspection/models``: drafts from uploaded bundles, stages, taking back, who may."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from inspection.anomaly import TrainingReport
from models.errors import Conflict, DoesNotFit, InvalidInput
from models.ids import new_id
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.states import RELEASE_TRANSITIONS, ReleaseState
from models.storage import sha256_of
from models.targets import InspectionItem
from server.core.release_keys import RELEASE_KEY_FILE, public_key
from server.core.settings import ServerSettings
from server.releases.rules import replaced_model, require_transition
from sync.shared.releases import signature_holds
from sync.station.client import ServerClient
from tests.support.serving import Served, enrol, make_item, make_pipeline, register

RELEASES = "/inspection/models/releases"


def upload(served: Served, data: bytes) -> str:
    """Upload bytes as the supervisor does, and return their digest."""
    sha256, client = sha256_of(data), served["supervisor"]
    body = {"sha256": sha256, "size": len(data), "content_type": "application/zip"}
    if client.post("/inspection/sync/upload", json=body).json()["complete"]:
        return sha256
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"}
    answer = client.post("/inspection/sync/upload", params={"sha256": sha256}, content=data, headers=headers)
    assert answer.json()["complete"], answer.text
    return sha256


@pytest.fixture
def item(served: Served) -> dict[str, Any]:
    """An item whose pipeline has an anomaly model already."""
    made = make_item(served, pipeline_id=make_pipeline(served)["id"])
    model = ModelFile(name="first", model_kind="anomaly", sha256=sha256_of(b"first"), size_bytes=5)
    with served.context.database.transaction() as session:
        session.add(model)
        session.flush()
        record = session.get_one(InspectionItem, made["id"])
        record.pipeline_parameters = {"anomaly": {"model": model.id}}
    return {**made, "model": model.id}


@pytest.fixture
def draft(served: Served, item: dict[str, Any], report: TrainingReport) -> dict[str, Any]:
    sha256 = upload(served, report.path.read_bytes())
    answer = served["supervisor"].post(RELEASES, json={"item_id": item["id"], "sha256": sha256})
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "item": item}


def step(served: Served, release: dict[str, Any], name: str, body: dict[str, Any] | None = None):
    return served["supervisor"].post(f"{RELEASES}/{release['id']}/{name}", json=body)


def test_a_draft_takes_the_place_of_the_items_model(served: Served, draft: dict[str, Any]) -> None:
    assert (draft["state"], draft["replaces_id"], draft["reports"]) == ("draft", draft["item"]["model"], [])
    with served.context.database.read() as session:
        model = session.get_one(ModelFile, draft["model_id"])
    assert (model.sha256, model.model_kind) == (draft["sha256"], "anomaly")
    assert model.metrics["threshold"] > 0


def test_a_release_is_signed_with_the_key_of_the_server(served: Served, draft: dict[str, Any]) -> None:
    key = served["inspector"].get("/inspection/models/key").json()["public_key"]
    with served.context.database.read() as session:
        release = session.get_one(ModelRelease, draft["id"])
    assert signature_holds(release, release.signature, key)


def test_a_station_gets_the_key_at_enrolment(served: Served) -> None:
    key = served["inspector"].get("/inspection/models/key").json()["public_key"]
    assert register(served)["release_key"] == key
    assert len(base64.b64decode(key)) == 32


def test_a_station_without_the_key_asks_for_it(served: Served) -> None:
    station = enrol(served)
    client = ServerClient(served.url, device_id=station["device_id"], credential=lambda: station["credential"])
    try:
        assert client.release_key() == served["inspector"].get("/inspection/models/key").json()["public_key"]
    finally:
        client.close()


def test_the_key_of_releases_is_for_the_server_alone(served: Served) -> None:
    served["inspector"].get("/inspection/models/key")
    path = served.context.settings.data_dir / RELEASE_KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / RELEASE_KEY_FILE).write_bytes(b"no key")
    with pytest.raises(InvalidInput) as caught:
        public_key(ServerSettings(data_dir=tmp_path))
    assert caught.value.code == "server-settings-invalid"


def test_a_release_goes_to_some_stations_then_to_all(served: Served, draft: dict[str, Any]) -> None:
    station = enrol(served)["device_id"]
    staged = step(served, draft, "stage", {"stations": [station, station]}).json()
    assert (staged["state"], staged["stations"], staged["released_by"]) == ("staged", [station], "supervisor")
    released = step(served, draft, "release").json()
    assert (released["state"], released["stations"]) == ("released", [station])


def test_a_release_that_was_taken_back_stays_back(served: Served, draft: dict[str, Any]) -> None:
    assert step(served, draft, "rollback").json()["state"] == "rolled_back"
    refused = step(served, draft, "release")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "release-state")


def test_a_station_that_is_not_enrolled_is_no_stage(served: Served, draft: dict[str, Any]) -> None:
    refused = step(served, draft, "stage", {"stations": [new_id()]})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (404, "device-unknown")


def test_the_same_draft_twice_is_one(served: Served, item: dict[str, Any], report: TrainingReport) -> None:
    body = {"id": new_id(), "item_id": item["id"], "sha256": upload(served, report.path.read_bytes())}
    codes = [served["supervisor"].post(RELEASES, json=body).status_code for _ in range(2)]
    assert codes == [201, 200]
    listed = served["supervisor"].get(RELEASES, params={"item_id": item["id"]}).json()
    assert [release["id"] for release in listed["items"]] == [body["id"]]


def test_bytes_that_were_not_uploaded_are_no_release(served: Served, item: dict[str, Any]) -> None:
    refused = served["supervisor"].post(RELEASES, json={"item_id": item["id"], "sha256": "0" * 64})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (404, "blob-unknown")


def test_bytes_that_are_no_model_are_refused(served: Served, item: dict[str, Any]) -> None:
    refused = served["supervisor"].post(RELEASES, json={"item_id": item["id"], "sha256": upload(served, b"no model")})
    assert refused.status_code == 400


def test_a_changed_bundle_is_refused(served: Served, item: dict[str, Any], report: TrainingReport) -> None:
    data = bytearray(report.path.read_bytes())
    data[-2_000] ^= 1
    refused = served["supervisor"].post(RELEASES, json={"item_id": item["id"], "sha256": upload(served, bytes(data))})
    assert refused.status_code == 400


def test_an_item_without_a_model_of_that_kind_takes_no_release(served: Served, report: TrainingReport) -> None:
    sha256 = upload(served, report.path.read_bytes())
    refused = served["supervisor"].post(RELEASES, json={"item_id": make_item(served)["id"], "sha256": sha256})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "release-replaces-nothing")


@pytest.mark.parametrize(
    ("role", "status"), [("supervisor", 200), ("admin", 200), ("inspector", 403), ("anonymous", 401)]
)
def test_releases_are_shown_to_those_in_charge(served: Served, role: str, status: int) -> None:
    assert served[role].get(RELEASES).status_code == status


@pytest.mark.parametrize("present", list(ReleaseState))
@pytest.mark.parametrize("wanted", list(ReleaseState))
def test_a_release_moves_by_the_table_of_states(present: ReleaseState, wanted: ReleaseState) -> None:
    if wanted in RELEASE_TRANSITIONS[present]:
        require_transition(present, wanted)
        return
    with pytest.raises(Conflict) as caught:
        require_transition(present, wanted)
    assert caught.value.code == "release-state"


@pytest.mark.parametrize("names", [(), ("d",), ("a", "b")])
def test_a_release_takes_the_place_of_exactly_one_model(names: tuple[str, ...]) -> None:
    with pytest.raises(DoesNotFit) as caught:
        replaced_model(names, {"a": "anomaly", "b": "anomaly", "d": "detector"}, "anomaly")
    assert caught.value.code == "release-replaces-nothing"


def test_a_release_takes_the_place_of_the_model_of_its_kind() -> None:
    assert replaced_model(("d", "a"), {"a": "anomaly", "d": "detector"}, "anomaly") == "a"
