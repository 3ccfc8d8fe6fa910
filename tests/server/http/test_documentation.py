"""The API document: valid, complete, and readable without the internet."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from server.core.settings import ServerSettings
from server.http import openapi
from tests.support.serving import Served, serve

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    answer = httpx.get(f"{served.url}/openapi.json", trust_env=False, timeout=60)
    assert answer.status_code == 200
    return dict(answer.json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


@pytest.mark.slow
def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_says_what_it_answers(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        place = f"{method} {path}"
        assert operation.get("summary"), place
        assert operation.get("description"), place
        assert operation.get("tags"), place
        good = [code for code in operation["responses"] if code.startswith("2")]
        assert good, place
        assert good == ["204"] or operation["responses"][good[0]]["content"], place


def test_every_error_is_documented_as_a_problem_document(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        errors = {code: answer for code, answer in operation["responses"].items() if int(code) >= 400}
        assert {"500", "503"} <= set(errors), (method, path)
        for answer in errors.values():
            content = answer["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "changes", "410"),
        ("post", "upload", "409"),
        ("post", "upload", "422"),
        ("post", "apply-changes", "413"),
        ("get", "download", "404"),
    ],
)
def test_the_answers_that_the_sync_protocol_counts_on_are_documented(
    document: dict[str, Any], method: str, path: str, code: str
) -> None:
    assert code in document["paths"][f"/api/v1/inspection/sync/{path}"][method]["responses"]


def test_routes_that_need_a_credential_say_so(document: dict[str, Any]) -> None:
    open_routes = {path for _, path, operation in operations(document) if not operation.get("security")}
    assert open_routes == {
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/v1/tauri/devices/register",
        "/api/v1/tauri/auth/login",
        "/api/v1/tauri/auth/device",
        "/health",
        "/metrics",
    }
    kinds = {scheme["type"] for scheme in document["components"]["securitySchemes"].values()}
    assert kinds == {"http", "apiKey"}


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from parts(part, f"{path}/{name}")


def test_every_id_or_time_has_its_format(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name in {"PipelineStep", "ComponentReply", "GrpcServiceReply", "StreamReply", "StreamDetail"}:
            continue  # Their ids are words.
        for member, described in schema.get("properties", {}).items():
            formats = {part["format"] for _, part in parts(described) if isinstance(part, dict) and "format" in part}
            if name not in WITHOUT and (member == "id" or member.endswith("_id")) and member not in WORDS:
                assert formats == {"uuid"}, (name, member)
            if member.endswith("_at"):
                assert formats == {"date-time"}, (name, member)


WORDS = {"device_id", "request_id", "step_id", "subject_id"}
WITHOUT = {"PulledChange", "ChangeResult", "Batch", "SnapshotRecord", "Change"}
"""Of the sync protocol, whose ids may be anything that an older or newer station sends."""


@pytest.mark.parametrize(
    ("schema", "member", "named"),
    [
        ("PipelineCreate", "definition", "PipelineDefinition"),
        ("PipelineReply", "definition", "PipelineDefinition"),
        ("ItemCreate", "criteria", "Criteria"),
        ("ItemUpdate", "criteria", "Criteria"),
        ("ItemReply", "criteria", "Criteria"),
    ],
)
def test_what_other_rooms_check_has_their_schema(
    document: dict[str, Any], schema: str, member: str, named: str
) -> None:
    described = document["components"]["schemas"][schema]["properties"][member]
    assert described["$ref"] == f"#/components/schemas/{named}"
    assert document["components"]["schemas"][named]["additionalProperties"] is False


def test_the_facts_of_a_session_have_schemas_of_their_own(document: dict[str, Any]) -> None:
    members = document["components"]["schemas"]["AIResultReply"]["properties"]
    assert members["detections"]["items"]["$ref"].endswith("/Detection")
    assert members["steps"]["items"]["$ref"].endswith("/StepTiming")
    decided = document["components"]["schemas"]["VerificationReply"]["properties"]["defects"]
    assert decided["items"]["$ref"].endswith("/MarkedDefect")


def test_no_schema_is_empty(document: dict[str, Any]) -> None:
    empty = [path for path, value in parts(document) if path.endswith(("/schema", "/items")) and value == {}]
    assert empty == []


def test_an_upload_is_binary(document: dict[str, Any]) -> None:
    forms = [one for name, one in document["components"]["schemas"].items() if name.startswith("Body_")]
    assert forms
    assert {schema["properties"]["file"]["format"] for schema in forms} == {"binary"}


def test_every_body_of_json_has_an_example_that_its_schema_allows(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = {**content["schema"], "components": document["components"]}
        problems = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert problems == [], (method, path)


def test_every_operation_that_needs_a_credential_names_the_roles(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert bool(operation.get("security")) == bool(operation.get("x-roles")), (method, path)
    users = document["paths"]["/api/v1/users"]["get"]
    assert users["x-roles"] == ["admin"]
    assert "Roles: admin." in users["description"]
    assert "station" in document["paths"]["/api/v1/inspection/sync/apply-changes"]["post"]["x-roles"]


def test_the_document_names_its_server(document: dict[str, Any]) -> None:
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_every_201_has_a_location(document: dict[str, Any]) -> None:
    made = [operation["responses"]["201"] for *_, operation in operations(document) if "201" in operation["responses"]]
    assert len(made) >= 10
    assert all(answer["headers"]["Location"]["required"] for answer in made)


@pytest.mark.slow
def test_others_are_answered_while_the_document_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, answered = threading.Event(), threading.Event()
    waited: list[bool] = []
    base = openapi._base

    def held(app: FastAPI) -> dict[str, Any]:
        begun.set()
        waited.append(answered.wait(10))
        return base(app)

    monkeypatch.setattr(openapi, "_base", held)
    with serve(ServerSettings(data_dir=tmp_path)) as served, served.client() as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.get, f"{served.url}/openapi.json", trust_env=False, timeout=60)
        assert begun.wait(10)
        assert client.get("/users/me").status_code == 401
        answered.set()
        assert asked.result().json()["info"]["title"] == openapi.TITLE
    assert waited == [True]


def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    answer = httpx.get(f"{served.url}/docs", trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert served["anonymous"].get("/docs").text == answer.text
    loaded = re.findall(r'(?:src|href|data-document)="([^"]*)"', answer.text)
    assert loaded == ["data:,", "/docs/swagger-ui.css", "/openapi.json", "/docs/swagger-ui-bundle.js"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_metrics_tell_how_long_each_station_has_been_away(served: Served) -> None:
    text = served["anonymous"].get(f"{served.url}/metrics").text
    lags = re.findall(r'imageflow_station_sync_lag_seconds\{station="[0-9a-f-]{36}"\} ([0-9.e+-]+)', text)
    assert lags
    assert all(float(lag) >= 0 for lag in lags)


def test_metrics_count_requests_by_route_without_naming_anyone(served: Served) -> None:
    served["inspector"].get("/users/me")
    text = httpx.get(f"{served.url}/metrics", trust_env=False, timeout=60).text
    assert re.search(r'imageflow_http_requests_total\{method="GET",route="[^"]*/users/me",status="200"\} \d', text)
    assert "inspector" not in text
