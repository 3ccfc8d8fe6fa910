"""Every error is a problem document, in the client's language, and says nothing it should not."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import httpx
import pytest

from models.ids import new_id
from server.core.settings import ServerSettings
from tests.support.images import png
from tests.support.serving import Served, serve, serve_with_users

MEMBERS = {"type", "title", "status", "detail", "instance", "advice", "request_id"}


def checked(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"https://api.imageflowcanvas.com/errors/{code}"
    assert body["status"] == status
    assert set(body) >= MEMBERS
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return dict(body)


def japanese(text: object) -> bool:
    return any("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in str(text))


CASES = {
    "route-unknown": (404, "GET", "/no/such/route", None),
    "method-not-allowed": (405, "PATCH", "/inspection/targets", None),
    "target-not-found": (404, "GET", f"/inspection/targets/{new_id()}", None),
    "inspection-session-unknown": (404, "GET", "/inspection/sessions/nothing", None),
    "validation-error": (400, "POST", "/inspection/targets", {"code": 1}),
    "period-backwards": (400, "GET", "/inspection/statistics?start_date=2026-02-01&end_date=2026-01-01", None),
    "json-too-deep": (400, "POST", "/inspection/targets", json.loads("[" * 40 + "]" * 40)),
    "body-too-large": (413, "POST", "/inspection/targets", {"name": "x" * 3_000_000}),
}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("code", CASES)
def test_an_error_is_reported_in_the_language_of_the_client(served: Served, code: str, language: str) -> None:
    status, method, path, body = CASES[code]
    header = {"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5" if language == "ja" else "fr, en;q=0.8"}
    found = checked(served["supervisor"].request(method, path, json=body, headers=header), status, code)
    assert found["instance"] == f"/api/v1{path.partition('?')[0]}"
    assert japanese(found["title"]) is (language == "ja")
    assert japanese(found["detail"]) is (language == "ja")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_rejected_field_is_listed_with_its_value(served: Served, language: str) -> None:
    body = {"name": "", "position": 0, "required": "perhaps", "surplus": 1}
    answer = served["supervisor"].post(
        f"/inspection/targets/{new_id()}/items", json=body, headers={"Accept-Language": language}
    )
    found = checked(answer, 400, "validation-error")["validation_errors"]
    assert isinstance(found, list)
    assert {entry["field"]: entry["value"] for entry in found} == body
    assert all(japanese(entry["message"]) is (language == "ja") for entry in found)


def test_a_rejected_password_is_not_echoed(served: Served) -> None:
    answer = served["anonymous"].post("/auth/login", json={"username": 5, "password": ["s3cret-value"]})
    checked(answer, 400, "validation-error")
    assert "s3cret-value" not in answer.text
    answer = served["anonymous"].post("/auth/refresh", json={"refresh_token": "s3cret-value" * 1_000})
    checked(answer, 400, "validation-error")
    assert "s3cret-value" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"code": NaN, "name": 1e999}'])
def test_a_body_that_is_no_json_object_is_rejected(served: Served, body: bytes) -> None:
    answer = served["supervisor"].post(
        "/inspection/targets", content=body, headers={"Content-Type": "application/json"}
    )
    checked(answer, 400, "validation-error")


def test_a_body_that_is_no_json_is_a_problem_of_the_body(served: Served) -> None:
    answer = served["supervisor"].post(
        "/inspection/targets", content=b'{"code": ', headers={"Content-Type": "application/json"}
    )
    found = checked(answer, 400, "validation-error")["validation_errors"]
    assert isinstance(found, list)
    assert [entry["field"] for entry in found] == ["body"]


def test_a_long_body_without_a_declared_length_is_refused(served: Served) -> None:
    chunks = (b" " * 65_536 for _ in range(50))
    answer = served["supervisor"].post(
        "/inspection/targets", content=chunks, headers={"Content-Type": "application/json"}
    )
    assert checked(answer, 413, "body-too-large")["limit_bytes"] == 2 * 1024 * 1024


def test_a_compressed_body_is_not_unpacked_where_it_is_not_expected(served: Served) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    answer = served["supervisor"].post(
        "/inspection/targets", content=bomb, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    checked(answer, 415, "content-encoding-unsupported")


def test_methods_that_are_allowed_are_named(served: Served) -> None:
    allowed = served["admin"].patch("/inspection/targets").headers["allow"]
    assert "GET" in allowed or "POST" in allowed


@pytest.mark.parametrize("path", ["/files/../../etc/passwd", "/files/..%2f..%2fetc%2fpasswd", "/files/%2fetc%2fpasswd"])
def test_no_path_leads_out_of_the_server(served: Served, path: str) -> None:
    answer = served["admin"].get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/inspection/targets?search=' OR 1=1 --",
        "/inspection/sessions?lot=';DROP TABLE users;--",
    ],
)
def test_a_search_is_never_sql(served: Served, path: str) -> None:
    answer = served["admin"].get(path)
    assert answer.status_code == 200
    assert answer.json()["total_count"] == 0


@pytest.mark.parametrize("path", ["/inspection/targets?search=a%00b", "/inspection/targets/a%00b"])
def test_the_character_nul_is_refused(served: Served, path: str) -> None:
    checked(served["admin"].get(path), 400, "request-malformed")


@pytest.mark.parametrize(
    "body",
    [
        {"code": "\ud800", "name": "x"},
        {"code": "c", "name": "x", "\udfff": 1},
        {"code": 1, "name": ["\ud800"]},
    ],
)
def test_half_of_a_surrogate_pair_is_refused(served: Served, body: dict[str, object]) -> None:
    answer = served["supervisor"].post(
        "/inspection/targets", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    checked(answer, 400, "validation-error")


def test_odd_values_deep_in_an_object_are_refused(served: Served) -> None:
    for odd in ("NaN", "-Infinity", "1e999", '"\\u0000"', '"\\udc00"'):
        content = f'{{"name": "x", "definition": {{"steps": [{{"id": {odd}}}]}}}}'.encode()
        answer = served["supervisor"].post("/pipelines", content=content, headers={"Content-Type": "application/json"})
        checked(answer, 400, "validation-error")


@pytest.mark.slow
def test_a_long_upload_without_a_declared_length_is_refused(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, max_upload_bytes=100_000) as served:
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        pieces = iter([head, *[b"y" * 65_536] * 20])
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        checked(served["admin"].post("/files", content=pieces, headers=kind), 413, "body-too-large")


@pytest.mark.slow
def test_a_fault_of_the_server_says_nothing_of_its_inside(tmp_path: Path) -> None:
    with serve_with_users(tmp_path) as served:
        with sqlite3.connect(tmp_path / "server.sqlite3") as connection:
            connection.execute("ALTER TABLE targets RENAME COLUMN description TO hidden")
        connection.close()
        answer = served["admin"].get("/inspection/targets")
        body = checked(answer, 500, "internal-error")
        assert not [word for word in ("SELECT", "Traceback", "sqlite", str(tmp_path), "hidden") if word in answer.text]
        assert body["request_id"]


@pytest.mark.slow
def test_health_is_503_naming_the_part_that_is_down(tmp_path: Path) -> None:
    with serve_with_users(tmp_path) as served, httpx.Client(trust_env=False, timeout=60) as client:
        good = client.get(f"{served.url}/health")
        assert good.status_code == 200
        assert client.get(f"{served.url}/v1/health").json()["status"] == "ok"
        assert set(good.json()["components"]) == {"database", "object_store", "event_bus"}
        objects = tmp_path / "objects"
        objects.rmdir()
        found = checked(client.get(f"{served.url}/health"), 503, "server-part-down")
        components = found["components"]
        assert isinstance(components, dict)
        assert {name: part["status"] for name, part in components.items()} == {
            "database": "up",
            "object_store": "down",
            "event_bus": "up",
        }


def test_another_origin_may_call_only_when_it_is_listed(served: Served, tmp_path: Path) -> None:
    ask = {"Origin": "https://mes.example", "Access-Control-Request-Method": "GET"}
    closed = served["anonymous"].options("/inspection/targets", headers=ask)
    assert "access-control-allow-origin" not in closed.headers
    settings = ServerSettings(data_dir=tmp_path, cors_origins=["https://mes.example"])
    with serve(settings) as listed, listed.client() as client:
        assert client.options("/inspection/targets", headers=ask).headers["access-control-allow-origin"] == (
            "https://mes.example"
        )
        other = client.options("/inspection/targets", headers={**ask, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        checked(other, 400, "cross-origin-refused")


def test_a_listed_origin_may_send_every_header_that_a_route_reads(tmp_path: Path) -> None:
    settings = ServerSettings(data_dir=tmp_path, cors_origins=["https://mes.example"])
    wanted = "range, if-none-match, if-match, idempotency-key, authorization, content-type, x-api-key"
    ask = {
        "Origin": "https://mes.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": wanted,
    }
    with serve(settings) as listed, listed.client() as client:
        assert client.options("/inspection/targets", headers=ask).status_code == 200
        refused = client.options("/inspection/targets", headers={**ask, "Access-Control-Request-Headers": "x-other"})
        checked(refused, 400, "cross-origin-refused")
        assert refused.headers["access-control-allow-origin"] == "https://mes.example"


def test_a_full_line_of_requests_at_once_is_answered_without_an_error(served: Served) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def make(number: int) -> int:
        body = {"code": f"parallel-{number}", "name": "P"}
        return served["supervisor"].post("/inspection/targets", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(40))) == {201}


@pytest.mark.slow
def test_an_upload_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, max_upload_bytes=1_000) as served:
        answer = served["admin"].post("/files", files={"file": ("a.png", png())})
        assert checked(answer, 413, "upload-too-large")["limit_bytes"] == 1_000
        answer = served["admin"].post("/files", files={"file": ("a.png", b"x" * 200_000)})
        checked(answer, 413, "body-too-large")
