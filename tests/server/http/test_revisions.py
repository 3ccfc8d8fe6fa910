"""Optimistic locking over real HTTP: ETag, If-Match and If-None-Match of every record that can be changed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.sessions import AIResult
from models.states import Verdict
from server.core.revisions import Expected
from server.http.revisions import parse_if_match
from tests.support.serving import PASSWORD, Served, enrol, make_item, make_pipeline, make_target

NOBODY = "0197c000-0000-7000-8000-0000000000ff"
Made = tuple[str, dict[str, Any]]
"""Path of a record, and a change of it."""


def a_target(served: Served) -> Made:
    return f"/inspection/targets/{make_target(served)['id']}", {"name": "New"}


def an_item(served: Served) -> Made:
    return f"/inspection/items/{make_item(served)['id']}", {"name": "New"}


def an_item_pipeline(served: Served) -> Made:
    pipeline_id = make_pipeline(served)["id"]
    item = make_item(served, pipeline_id=pipeline_id)
    return f"/inspection/items/{item['id']}/pipeline", {"pipeline_id": None, "pipeline_parameters": {}}


def a_pipeline(served: Served) -> Made:
    return f"/pipelines/{make_pipeline(served)['id']}", {"name": "New"}


def a_defect_class(served: Served) -> Made:
    body = {"code": new_id(), "name_en": "Scratch", "name_ja": "キズ"}
    made = served["admin"].post("/inspection/defect-classes", json=body).json()
    return f"/inspection/defect-classes/{made['id']}", {"name_en": "New"}


def a_session(served: Served) -> Made:
    made = served["admin"].post("/inspection/sessions", json={"target_id": make_target(served)["id"]}).json()
    with served.context.database.transaction() as session:
        fact = {"overall_result": Verdict.OK, "confidence": 0.123456789, "detections": [], "processing_time_ms": 1.5}
        session.add(AIResult(device_id="server", session_id=made["id"], **fact))
    return f"/inspection/sessions/{made['id']}", {"lot": "New"}


def a_user(served: Served) -> Made:
    body = {"username": f"u-{new_id()}", "role": "inspector", "password": PASSWORD}
    return f"/users/{served['admin'].post('/users', json=body).json()['id']}", {"display_name": "New"}


def a_station(served: Served) -> Made:
    return f"/devices/{enrol(served)['device_id']}", {"name": "New"}


def a_config(served: Served) -> Made:
    device_id = enrol(served)["device_id"]
    change = {"device_id": device_id, "settings": {"retention_days": 9}}
    return f"/tauri/config?device_id={device_id}", change


RECORDS = [
    a_target,
    an_item,
    an_item_pipeline,
    a_pipeline,
    a_defect_class,
    a_session,
    a_user,
    a_station,
    a_config,
]
DELETABLE = [a_target, an_item, a_pipeline, a_defect_class, a_user]
each_record = pytest.mark.parametrize("make", RECORDS)
Make = Callable[[Served], Made]


def put(served: Served, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return served["admin"].put(path.partition("?")[0], json=body, headers=headers)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


@each_record
def test_a_change_with_the_present_tag_gets_a_new_one(served: Served, make: Make) -> None:
    path, change = make(served)
    tag = served["admin"].get(path).headers["etag"]
    assert tag.startswith('"')
    changed = put(served, path, change, **{"If-Match": f'"other", {tag}'})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] != tag
    assert changed.headers["etag"] == served["admin"].get(path).headers["etag"]


@each_record
@pytest.mark.parametrize("given", ['"0"', "W/{tag}", "0", '"a", "b"'])
def test_a_change_of_another_revision_is_412_with_the_present_tag(served: Served, make: Make, given: str) -> None:
    path, change = make(served)
    before = served["admin"].get(path)
    tag = before.headers["etag"]
    refused = put(served, path, change, **{"If-Match": given.format(tag=tag)})
    assert (refused.status_code, code_of(refused), refused.headers["etag"]) == (412, "revision-mismatch", tag)
    assert served["admin"].get(path).json() == before.json()


@each_record
def test_what_get_gave_can_be_put(served: Served, make: Make) -> None:
    path, _ = make(served)
    read = served["admin"].get(path)
    written = put(served, path, read.json(), **{"If-Match": read.headers["etag"]})
    assert written.status_code == 200, written.text
    assert written.json() == read.json()


@each_record
def test_a_star_matches_whatever_there_is(served: Served, make: Make) -> None:
    path, change = make(served)
    assert put(served, path, change, **{"If-Match": "*"}).status_code == 200


@each_record
def test_a_known_record_is_304(served: Served, make: Make) -> None:
    path, change = make(served)
    tag = served["admin"].get(path).headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = served["admin"].get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    put(served, path, change)
    assert served["admin"].get(path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("make", DELETABLE)
def test_another_revision_is_not_deleted(served: Served, make: Make) -> None:
    path, _ = make(served)
    tag = served["admin"].get(path).headers["etag"]
    refused = served["admin"].delete(path, headers={"If-Match": '"0"'})
    assert (refused.status_code, refused.headers["etag"]) == (412, tag)
    assert served["admin"].delete(path, headers={"If-Match": tag}).status_code == 204


def test_a_key_is_revoked_by_its_tag(served: Served) -> None:
    made = served["admin"].post("/api-keys", json={"name": "k", "role": "inspector"})
    path = f"/api-keys/{made.json()['id']}"
    assert served["admin"].delete(path, headers={"If-Match": '"0"'}).status_code == 412
    tag = served["admin"].get(path).headers["etag"]
    assert served["admin"].delete(path, headers={"If-Match": tag}).status_code == 204


def test_a_password_is_set_by_the_tag_of_its_user(served: Served) -> None:
    path, _ = a_user(served)
    body = {"password": "another long password"}
    assert put(served, f"{path}/password", body, **{"If-Match": '"0"'}).status_code == 412
    tag = served["admin"].get(path).headers["etag"]
    assert put(served, f"{path}/password", body, **{"If-Match": tag}).status_code == 204


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (a_target, "created_at", "2020-01-01T00:00:00.000Z"),
        (a_target, "rev", 0),
        (an_item, "target_id", NOBODY),
        (an_item_pipeline, "pipeline_version", 99),
        (a_pipeline, "version", 99),
        (a_user, "username", "other"),
        (a_session, "device_id", "other"),
        (a_session, "ai_results", []),
        (a_station, "enrolled_at", "2020-01-01T00:00:00.000Z"),
    ],
)
def test_a_member_that_cannot_be_changed_is_refused_by_name(
    served: Served, make: Make, field: str, value: object
) -> None:
    path, change = make(served)
    before = served["admin"].get(path).json()
    refused = put(served, path, {**change, field: value})
    assert (refused.status_code, code_of(refused), refused.json()["field"]) == (409, "member-read-only", field)
    assert served["admin"].get(path).json() == before


def test_of_writers_at_once_with_one_tag_only_one_is_heard(served: Served) -> None:
    path, _ = a_target(served)
    tag = served["admin"].get(path).headers["etag"]
    with ThreadPoolExecutor(8) as pool:
        statuses = pool.map(
            lambda number: put(served, path, {"name": f"N{number}"}, **{"If-Match": tag}).status_code, range(8)
        )
    assert sorted(statuses) == [200] + [412] * 7


def test_a_station_that_is_seen_meanwhile_keeps_its_tag(served: Served) -> None:
    enrolled = enrol(served)
    path = f"/devices/{enrolled['device_id']}"
    read = served["admin"].get(path)
    assert served["anonymous"].post("/tauri/auth/device", json=enrolled).status_code == 200
    seen = served["admin"].get(path)
    assert seen.json()["last_seen_at"] != read.json()["last_seen_at"]
    changed = served["admin"].put(path, json=read.json() | {"name": "New"}, headers={"If-Match": read.headers["etag"]})
    assert changed.status_code == 200, changed.text


def test_a_new_fact_gives_the_session_a_new_tag(served: Served) -> None:
    path, _ = a_session(served)
    tag = served["admin"].get(path).headers["etag"]
    served["admin"].post(f"{path}/human-verification", json={"verdict": "OK"})
    assert served["admin"].get(path).headers["etag"] != tag


def test_what_is_made_says_where_it_is(served: Served) -> None:
    made = served["admin"].post("/inspection/targets", json={"code": new_id(), "name": "Plate"})
    read = served["admin"].get(f"{served.url}{made.headers['location']}")
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])


@pytest.mark.parametrize(
    ("header", "revisions"),
    [
        ("*", None),
        ('"1"', {"1"}),
        ('"1", "2" ,"a,b"', {"1", "2", "a,b"}),
        ('W/"1"', set()),
        ('W/"1", "2"', {"2"}),
        ("1", set()),
        ("", set()),
        ('"', set()),
    ],
)
def test_an_if_match_header_names_strong_tags(header: str, revisions: set[str] | None) -> None:
    assert parse_if_match(header) == Expected(None if revisions is None else frozenset(revisions))
