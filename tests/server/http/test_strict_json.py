"""A member of a body has the JSON type that the document says; null is only where it is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from server.devices.schemas import DeviceUpdate
from server.masters.schemas import DefectClassUpdate, ItemUpdate, PipelineUpdate, TargetUpdate
from server.sessions.schemas import SessionUpdate
from server.users.schemas import UserUpdate
from sync.shared.schemas import Changes
from tests.support.serving import Served, make_target

ID = "0197c000-0000-7000-8000-0000000000ff"
ITEM = f"/inspection/targets/{ID}/items"
VERIFY = f"/inspection/sessions/{ID}/human-verification"


@pytest.mark.parametrize(
    ("role", "method", "path", "body", "field"),
    [
        ("supervisor", "POST", ITEM, {"name": "x", "position": "5"}, "position"),
        ("supervisor", "POST", ITEM, {"name": "x", "position": 5.5}, "position"),
        ("supervisor", "POST", ITEM, {"name": "x", "position": True}, "position"),
        ("supervisor", "POST", ITEM, {"name": "x", "required": "off"}, "required"),
        ("supervisor", "POST", ITEM, {"name": "x", "required": 1}, "required"),
        ("supervisor", "POST", ITEM, {"name": "x", "required": None}, "required"),
        ("supervisor", "POST", ITEM, {"name": None}, "name"),
        ("supervisor", "PUT", f"/inspection/items/{ID}", {"position": None}, "position"),
        ("supervisor", "PUT", f"/inspection/items/{ID}", {"criteria": None}, "criteria"),
        ("supervisor", "PUT", f"/inspection/targets/{ID}", {"name": None}, "name"),
        ("supervisor", "PUT", f"/pipelines/{ID}", {"definition": None}, "definition"),
        ("supervisor", "PUT", f"/inspection/defect-classes/{ID}", {"severity": None}, "severity"),
        ("inspector", "PUT", f"/inspection/sessions/{ID}", {"status": None}, "status"),
        ("admin", "PUT", f"/users/{ID}", {"active": None}, "active"),
        ("admin", "PUT", f"/users/{ID}", {"active": "yes"}, "active"),
        ("admin", "PUT", f"/devices/{ID}", {"status": None}, "status"),
        ("admin", "POST", "/api-keys", {"name": "x", "role": "admin", "expires_at": 4_000_000_000}, "expires_at"),
        ("admin", "POST", "/api-keys", {"name": "x", "role": "admin", "expires_at": "4000000000"}, "expires_at"),
        ("admin", "POST", "/api-keys", {"name": "x", "role": "admin", "expires_at": "2099-01-01"}, "expires_at"),
        ("admin", "PUT", "/tauri/config", {"settings": {"retention_days": "30"}}, "settings.retention_days"),
        ("admin", "PUT", "/tauri/config", {"settings": {"sync_interval_s": "5"}}, "settings.sync_interval_s"),
        ("admin", "PUT", "/tauri/config", {"settings": {"thresholds": {"i": "1"}}}, "settings.thresholds.i"),
        ("inspector", "POST", VERIFY, {"verdict": "OK", "seconds": "2"}, "seconds"),
        (
            "inspector",
            "POST",
            VERIFY,
            {"verdict": "NG", "defects": [{"class": "c", "bbox": {"x": "1", "y": 0, "width": 1, "height": 1}}]},
            "defects.0.bbox.x",
        ),
    ],
)
def test_another_type_than_the_document_says_is_refused(
    served: Served, role: str, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = served[role].request(method, path, json=body)
    assert answer.status_code == 400, answer.text
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == [field]


def test_a_whole_number_is_taken_for_a_number(served: Served) -> None:
    answer = served["admin"].put("/tauri/config", json={"settings": {"sync_interval_s": 60}})
    assert answer.status_code == 200
    assert served["admin"].put("/tauri/config", json={"settings": {}}).status_code == 200


def test_a_number_without_a_fraction_is_taken_for_a_whole_one(served: Served) -> None:
    url = f"/inspection/targets/{make_target(served)['id']}/items"
    assert served["supervisor"].post(url, json={"name": "x", "position": 5.0}).json()["position"] == 5


def test_null_is_taken_where_the_document_allows_it(served: Served) -> None:
    target = make_target(served)
    made = served["supervisor"].post(
        f"/inspection/targets/{target['id']}/items", json={"name": "x", "pipeline_id": None, "id": None}
    )
    assert made.status_code == 201
    answer = served["supervisor"].put(f"/inspection/items/{made.json()['id']}/pipeline", json={"pipeline_id": None})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "model", [TargetUpdate, ItemUpdate, PipelineUpdate, DefectClassUpdate, SessionUpdate, UserUpdate, DeviceUpdate]
)
def test_the_document_allows_null_where_it_is_taken(served: Served, model: type[Changes]) -> None:
    schemas = served["anonymous"].get(f"{served.url}/openapi.json").json()["components"]["schemas"]
    for member, schema in schemas[model.__name__]["properties"].items():
        allowed = {"type": "null"} in schema.get("anyOf", [])
        try:
            model.model_validate({member: None})
        except ValidationError:
            assert not allowed, member
        else:
            assert allowed, member
        assert "default" not in schema, member
