"""What a client sends is data: never SQL, a field of a head, a pattern of a search."""

from __future__ import annotations

import json

import pytest

from models.ids import new_id
from tests.support.images import png
from tests.support.serving import Served, make_target

SQL = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    '" OR 1=1 --',
    "1) UNION SELECT password_digest FROM user_credentials --",
]
LISTS = [
    "/users", "/api-keys", "/devices", "/enrolment-codes", "/audit", "/pipelines", "/components", "/executions",
    "/inspection/targets", "/inspection/defect-classes", "/inspection/sessions", "/inspection/models/releases",
    "/inspection/quality/alerts", "/inspection/sync/conflicts", "/anomaly/models",
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_search_finds_nothing(served: Served, path: str, text: str) -> None:
    # Of its own: records of other tests have such names.
    answer = served["admin"].get(path, params={"search": f"{new_id()}{text}"})
    assert (answer.status_code, answer.json()["total_count"]) == (200, 0)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", SQL)
def test_sql_in_an_order_is_refused(served: Served, path: str, text: str) -> None:
    answer = served["admin"].get(path, params={"sort": text})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "sort")


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_name_is_kept_as_it_is(served: Served, text: str) -> None:
    made = make_target(served, name=text)
    assert served["inspector"].get(f"/inspection/targets/{made['id']}").json()["name"] == text


@pytest.mark.parametrize("wildcard", ["%", "_", "*", "?"])
def test_a_wildcard_of_sql_is_a_letter_like_any_other(served: Served, wildcard: str) -> None:
    mark = new_id()
    for name in (f"{mark} a{wildcard}b", f"{mark} axb"):
        make_target(served, name=name)
    found = served["inspector"].get("/inspection/targets", params={"search": f"{mark} a{wildcard}b"}).json()
    assert [item["name"] for item in found["items"]] == [f"{mark} a{wildcard}b"]


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1.png", 'a"; filename="b.png', "a\nLocation: //evil.png"])
def test_a_file_name_adds_no_field_to_the_head(served: Served, name: str) -> None:
    uploaded = served["inspector"].post("/files", files={"file": (name, png(31))}).json()
    answer = served["inspector"].get(f"/files/{uploaded['id']}/download")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "ü"])
def test_a_request_id_of_another_form_does_not_come_back(served: Served, given: str) -> None:
    answer = served["anonymous"].get(f"{served.url}/health", headers={"X-Request-ID": given.encode("latin-1")})
    assert answer.headers["x-request-id"] != given


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(served: Served, number: str) -> None:
    body = json.dumps({"name": "Surface", "criteria": {"threshold": 1.0}}).replace("1.0", number)
    path = f"/inspection/targets/{make_target(served)['id']}/items"
    answer = served["supervisor"].post(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "validation-error")
