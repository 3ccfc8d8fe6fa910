"""Requests made to hurt: refused from the head, in bounded time, with answers of bounded size."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from models.ids import new_id
from tests.support.raw_http import connected, read_answer
from tests.support.serving import Served

JSON = {"Content-Type": "application/json"}
UNTERMINATED = b"[" * 40 + b'"' + b'\\"' * 1_000_000
NOBODY = "0197c000-0000-7000-8000-0000000000ff"


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rpartition("/")[2]


def raw(served: Served, role: str, method: str, path: str, *lines: str) -> tuple[int, str]:
    """Send a head that announces a body, and none of the body."""
    token = served[role].headers.get("authorization")
    fields = [*lines, *([f"Authorization: {token}"] if token else [])]
    head = "\r\n".join([f"{method} /api/v1{path} HTTP/1.1", "Host: x", *fields, "", ""])
    with connected(served.url) as connection:
        connection.sendall(head.encode())
        answer = read_answer(connection)
        return answer.status, answer.code


def test_an_unterminated_string_is_refused_by_the_size_of_a_sign_in(served: Served) -> None:
    answer = served["anonymous"].post("/auth/login", content=UNTERMINATED, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (413, "body-too-large")
    answer = served["anonymous"].post("/auth/login", content=UNTERMINATED[:16_000], headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "json-too-deep")


def test_an_unterminated_string_of_two_megabytes_is_refused_by_its_depth(served: Served) -> None:
    answer = served["supervisor"].post("/inspection/targets", content=UNTERMINATED, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "json-too-deep")


def test_masses_of_values_are_refused_before_they_are_made(served: Served) -> None:
    answer = served["supervisor"].post("/inspection/targets", content=b"[" + b"0," * 200_000 + b"0]", headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "json-too-many-values")


@pytest.mark.parametrize(
    ("body", "rejected"),
    [
        ({"code": "c", "name": "n", **{f"member-{number}": number for number in range(20_000)}}, 20_000),
        ({"code": "c", "name": "n", **{f"member-{number}": number for number in range(60)}}, 60),
    ],
)
def test_unknown_members_are_listed_up_to_fifty_with_the_count_of_the_rest(
    served: Served, body: dict[str, Any], rejected: int
) -> None:
    answer = served["supervisor"].post("/inspection/targets", json=body)
    problem = answer.json()
    assert code_of(answer) == "validation-error"
    assert len(problem["validation_errors"]) == 50
    assert problem["validation_errors"][0]["field"] == "member-0"
    assert problem["validation_errors_omitted"] == rejected - 50
    assert len(answer.content) < 20_000


def test_unknown_members_deep_in_a_body_are_counted_too(served: Served) -> None:
    marked = {f"member-{number}": number for number in range(5_000)}
    body = {"verdict": "NG", "defects": [{"class": "scratch", **marked}, {"class": "scratch", **marked}]}
    answer = served["inspector"].post(f"/inspection/sessions/{new_id()}/human-verification", json=body)
    problem = answer.json()
    assert problem["validation_errors"][0]["field"] == "defects.0.member-0"
    assert (len(problem["validation_errors"]), problem["validation_errors_omitted"]) == (50, 9_950)


def test_a_long_name_of_a_member_does_not_come_back_whole(served: Served) -> None:
    answer = served["anonymous"].post("/auth/login", json={"username": "x", "password": "y", "z" * 9_000: 1})
    assert code_of(answer) == "validation-error"
    assert len(answer.content) < 2_000


LONG = "Content-Length: 60000000"
FORM = "Content-Type: multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/files", FORM),
        ("POST", "/inspection/sync/upload?sha256=0", "Content-Type: application/octet-stream"),
        ("POST", "/inspection/sync/apply-changes", "Content-Type: application/json"),
        ("POST", "/inspection/targets", "Content-Type: application/json"),
        ("PUT", f"/users/{NOBODY}", "Content-Type: application/json"),
    ],
)
def test_a_body_without_a_credential_is_refused_before_it_comes(
    served: Served, method: str, path: str, kind: str
) -> None:
    assert raw(served, "anonymous", method, path, LONG, kind) == (401, "sign-in-needed")


@pytest.mark.parametrize(
    ("role", "method", "path", "lines", "expected"),
    [
        ("inspector", "POST", "/inspection/targets", (LONG, "Content-Type: application/json"), 403),
        ("inspector", "POST", "/inspection/sync/apply-changes", (LONG, "Content-Type: application/json"), 403),
        ("admin", "POST", "/files", (LONG, "Content-Type: text/plain"), 415),
        ("admin", "POST", "/files?page=1", (LONG, FORM), 400),
        ("admin", "POST", "/files", ("Content-Length: 600000000", FORM), 413),
        ("anonymous", "POST", "/no/such/route", (LONG, FORM), 404),
        ("anonymous", "PATCH", "/files", (LONG, FORM), 405),
        ("anonymous", "POST", "/auth/login", (LONG, "Content-Type: application/json"), 413),
    ],
)
def test_what_the_head_decides_is_answered_before_the_body_comes(
    served: Served, role: str, method: str, path: str, lines: tuple[str, ...], expected: int
) -> None:
    assert raw(served, role, method, path, *lines)[0] == expected


EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("path", ["/inspection/statistics", "/inspection/sessions"])
@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_a_time_that_utc_has_not_is_refused_in_a_query(served: Served, path: str, name: str, edge: str) -> None:
    answer = served["admin"].get(path, params={name: edge})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, name)


@pytest.mark.parametrize("edge", EDGES)
def test_a_time_that_utc_has_not_is_refused_in_a_body(served: Served, edge: str) -> None:
    answer = served["admin"].post("/api-keys", json={"name": "MES", "role": "admin", "expires_at": edge})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "expires_at")


@pytest.mark.parametrize("edge", EDGES)
def test_a_time_that_utc_has_not_is_no_place_in_the_change_log(served: Served, edge: str) -> None:
    answer = served["device"].get("/inspection/sync/changes", params={"since": edge})
    assert (answer.status_code, code_of(answer)) == (400, "sync-cursor-invalid")


@pytest.mark.parametrize("edge", EDGES)
def test_a_time_that_utc_has_not_is_refused_in_a_pushed_change(served: Served, edge: str) -> None:
    device_id = served["device"].get("/tauri/config").json()["device_id"]
    change = {
        "change_id": new_id(),
        "entity": "inspection_session",
        "entity_id": new_id(),
        "op": "insert",
        "clock": f"0000000000001-0000-{device_id}",
        "fields": {"device_id": device_id, "target_id": new_id(), "created_at": edge},
    }
    batch = {"device_id": device_id, "batch_id": new_id(), "schema_version": 1, "changes": [change]}
    answer = served["device"].post("/inspection/sync/apply-changes", json=batch)
    result = answer.json()["results"][0]
    assert (result["outcome"], result["problem"]["type"].rpartition("/")[2]) == ("rejected", "sync-change-invalid")


@pytest.mark.parametrize(
    "given", ["1700000000", "5", "2026", "now", "2026-01-31T25:00:00Z", "2026-13-01", "0000-00-00"]
)
def test_a_number_is_no_time_in_a_query(served: Served, given: str) -> None:
    answer = served["admin"].get("/inspection/statistics", params={"start_date": given})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "start_date")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pages=2", "pages"),
        ("page=1&page=2", "page"),
        ("page=1&x=%F0%9F%92%A9", "x"),
    ],
)
def test_a_query_parameter_that_is_not_known_is_refused(served: Served, query: str, field: str) -> None:
    answer = served["admin"].get(f"/inspection/targets?{query}")
    assert (answer.status_code, code_of(answer)) == (400, "validation-error")
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == [field]


def test_the_refusal_of_a_query_parameter_names_those_that_exist(served: Served) -> None:
    message = served["admin"].get("/inspection/targets?pages=2").json()["validation_errors"][0]["message"]
    assert all(name in message for name in ("page", "page_size", "search"))


def test_every_route_checks_the_head_of_its_requests(served: Served) -> None:
    document = served["anonymous"].get(f"{served.url}/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            caller = served[
                "device" if path.endswith(("/apply-changes", "/begin", "/compare", "/sync/drift")) else "admin"
            ]
            answer = caller.request(method, f"{served.url}{path.replace('{', '').replace('}', '')}?unknown=1")
            assert (answer.status_code, code_of(answer)) == (400, "validation-error"), (method, path)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_json_under_another_name_is_415(served: Served, kind: str) -> None:
    body = json.dumps({"code": new_id(), "name": "x"}).encode()
    answer = served["supervisor"].post("/inspection/targets", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, code_of(answer)) == (415, "media-type-unsupported")


def test_a_body_without_a_content_type_is_415(served: Served) -> None:
    answer = served["supervisor"].post("/inspection/targets", content=b"{}")
    assert (answer.status_code, code_of(answer)) == (415, "media-type-missing")


def test_the_encoding_identity_changes_no_limit(served: Served) -> None:
    deep = {**JSON, "Content-Encoding": "identity"}
    answer = served["supervisor"].post("/inspection/targets", content=b"[" * 40, headers=deep)
    assert (answer.status_code, code_of(answer)) == (400, "json-too-deep")
    answer = served["supervisor"].post(
        "/inspection/targets", json={"code": new_id(), "name": "x"}, headers={"Content-Encoding": "identity"}
    )
    assert answer.status_code == 201


def test_an_encoding_that_sync_does_not_know_is_415(served: Served) -> None:
    answer = served["device"].post(
        "/inspection/sync/apply-changes", content=b"{}", headers={**JSON, "Content-Encoding": "br"}
    )
    assert (answer.status_code, code_of(answer)) == (415, "content-encoding-unsupported")
    assert answer.headers["accept-encoding"] == "gzip, identity"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/inspection/targets", "GET, HEAD, POST"),
        (f"/inspection/targets/{NOBODY}", "DELETE, GET, HEAD, PUT"),
        ("/auth/login", "POST"),
        ("/tauri/config", "GET, HEAD, PUT"),
    ],
)
def test_allow_lists_every_method_of_the_path(served: Served, path: str, allowed: str) -> None:
    answer = served["admin"].patch(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/inspection/targets", "/users/me", "/inspection/statistics", "/health", "/docs"])
def test_head_answers_as_get_without_the_body(served: Served, path: str) -> None:
    got, head = served["admin"].get(path), served["admin"].head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


def test_a_connection_goes_on_after_head(served: Served) -> None:
    with connected(served.url) as connection:
        for _ in range(2):
            connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_answer(connection, has_body=False).status == 200


def test_masses_of_wrong_changes_are_refused_by_their_number(served: Served) -> None:
    batch = {"device_id": "d", "batch_id": "b", "schema_version": 1, "changes": [0] * 400_000}
    answer = served["device"].post("/inspection/sync/apply-changes", json=batch)
    assert (answer.status_code, code_of(answer)) == (413, "sync-batch-too-large")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("path", ["/inspection/targets", "/inspection/sync/apply-changes", "/inspection/sync/upload"])
def test_json_in_another_encoding_than_utf_8_is_refused(served: Served, path: str, encoding: str) -> None:
    # A quote within a string, as it looks in UTF-16, would hide all brackets after it from whoever counts bytes.
    text = '{"code": "\\"", "name": ' + "[" * 400 + "]" * 400 + "}"
    caller = served["device" if "sync" in path else "admin"]
    answer = caller.post(path, content=text.encode(encoding), headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "json-not-utf-8")
