"""The API document: valid, complete, and readable without the internet."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.serving import Served

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    answer = httpx.get(f"{served.url}/openapi.json", trust_env=False)
    assert answer.status_code == 200
    return dict(answer.json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_says_what_it_is_for_and_what_it_answers(document: dict[str, Any]) -> None:
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


def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    answer = httpx.get(f"{served.url}/docs", trust_env=False)
    assert answer.status_code == 200
    assert served["anonymous"].get("/docs").text == answer.text
    loaded = re.findall(r"(?:src|href|data-document)='([^']*)'", answer.text)
    assert loaded == ["data:,", "/docs/swagger-ui.css", "/openapi.json", "/docs/swagger-ui-bundle.js"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_metrics_count_requests_by_route_and_name_nobody(served: Served) -> None:
    served["inspector"].get("/users/me")
    text = httpx.get(f"{served.url}/metrics", trust_env=False).text
    assert re.search(r'imageflow_http_requests_total\{method="GET",route="[^"]*/users/me",status="200"\} \d', text)
    assert "inspector" not in text
