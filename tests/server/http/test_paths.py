"""Both prefixes and a trailing slash reach the same route, whatever the method."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from models.ids import new_id
from server.http.paths import canonical_path, paths_to
from tests.support.serving import Served

FORMS = [(prefix, slash) for prefix in ("/api/v1", "/v1") for slash in ("", "/")]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("/", "/"),
        ("/v1", "/api/v1"),
        ("/v1/", "/api/v1"),
        ("/v1/pipelines", "/api/v1/pipelines"),
        ("/v1/pipelines/", "/api/v1/pipelines"),
        ("/api/v1/pipelines/", "/api/v1/pipelines"),
        ("/api/v1/pipelines", "/api/v1/pipelines"),
        ("/health/", "/health"),
        ("/docs/", "/docs"),
        ("/v10/pipelines", "/v10/pipelines"),
        ("/v1x", "/v1x"),
        ("/pipelines//", "/pipelines/"),
        ("//", "/"),
    ],
)
def test_a_path_has_one_canonical_form(given: str, canonical: str) -> None:
    assert canonical_path(given, ends_in_slash=given.endswith("/")) == canonical


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/api/v1/anomaly", {"/api/v1/anomaly", "/v1/anomaly", "/anomaly"}),
        ("/api/v1/pipelines", {"/api/v1/pipelines", "/v1/pipelines"}),
    ],
)
def test_every_path_to_a_route_is_known(path: str, given: set[str]) -> None:
    assert paths_to(path) == given


def test_an_encoded_slash_at_the_end_stays_part_of_the_last_segment() -> None:
    assert canonical_path("/v1/files/a/", ends_in_slash=False) == "/api/v1/files/a/"


def ask(served: Served, method: str, path: str, **options: Any) -> httpx.Response:
    token = served["supervisor"].headers["Authorization"]
    url = served.url + path
    return httpx.request(method, url, headers={"Authorization": token}, trust_env=False, timeout=30, **options)


@pytest.mark.parametrize(("prefix", "slash"), FORMS)
def test_every_form_of_a_path_serves_the_whole_life_of_a_record(served: Served, prefix: str, slash: str) -> None:
    code = f"P-{new_id()}"
    made = ask(served, "POST", f"{prefix}/inspection/targets{slash}", json={"code": code, "name": "Plate"})
    assert made.status_code == 201, made.text
    one = f"{prefix}/inspection/targets/{made.json()['id']}{slash}"
    assert ask(served, "GET", one).json()["code"] == code
    assert ask(served, "PUT", one, json={"name": "Other"}).json()["name"] == "Other"
    listed = ask(served, "GET", f"{prefix}/inspection/targets{slash}?search={code}&page_size=1").json()
    assert (listed["total_count"], listed["page_size"]) == (1, 1)
    assert ask(served, "DELETE", one).status_code == 204
    assert ask(served, "GET", one).status_code == 404


@pytest.mark.parametrize("path", ["/health/", "/docs/", "/v1/health/", "/v1/docs", "/openapi.json/", "/metrics/"])
def test_pages_outside_the_features_take_every_form(served: Served, path: str) -> None:
    assert ask(served, "GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/inspection/targets/nothing/", "/v1/no/such/", "/api/v1/pipelines/nothing"])
def test_an_error_names_the_path_as_it_was_sent(served: Served, path: str) -> None:
    assert ask(served, "GET", path).json()["instance"] == path


def test_an_encoded_slash_reaches_no_other_route(served: Served) -> None:
    assert ask(served, "GET", "/v1/pipelines%2F").status_code == 404


def test_the_document_names_each_route_once(served: Served) -> None:
    paths = ask(served, "GET", "/openapi.json").json()["paths"]
    assert not [path for path in paths if path.startswith("/v1") or (path.endswith("/") and path != "/")]


def test_metrics_count_every_form_under_one_route(served: Served) -> None:
    ask(served, "GET", "/v1/pipelines/?page=1")
    text = ask(served, "GET", "/metrics").text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert len([route for route in routes if route.endswith("/pipelines")]) == 1
    assert not [route for route in routes if route.startswith("/v1") or route.endswith("/")]
