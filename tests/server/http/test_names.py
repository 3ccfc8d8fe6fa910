"""Names over REST: what cannot be seen in one is refused at every route that takes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import PASSWORD, Served

USER = {"username": "u", "role": "inspector", "password": PASSWORD}
DEFECT = {"code": "c", "name_en": "n", "name_ja": "n"}
PIPELINE = {"name": "n", "definition": {}}
PLACES: list[tuple[str, dict[str, Any], str]] = [
    ("/users", USER, "username"),
    ("/users", USER, "display_name"),
    ("/inspection/targets", {"code": "c", "name": "n"}, "code"),
    ("/inspection/targets", {"code": "c", "name": "n"}, "name"),
    ("/inspection/targets", {"code": "c", "name": "n"}, "version"),
    ("/inspection/defect-classes", DEFECT, "code"),
    ("/inspection/defect-classes", DEFECT, "name_ja"),
    ("/pipelines", PIPELINE, "name"),
    ("/api-keys", {"name": "n", "role": "integrator"}, "name"),
    ("/enrolment-codes", {"device_name": "n"}, "device_name"),
    ("/tauri/devices/register", {"code": "c", "name": "n"}, "name"),
]


@pytest.mark.parametrize(("path", "body", "field"), PLACES, ids=[f"{path} {field}" for path, _, field in PLACES])
def test_a_name_that_hides_a_character_is_refused(served: Served, path: str, body: dict[str, Any], field: str) -> None:
    for hidden in ("\u200f", "\u200b", "\u202e", "\x1b"):
        answer = served["admin"].post(path, json={**body, field: f"a{hidden}b"})
        assert answer.status_code == 400
        assert [entry["field"] for entry in answer.json()["validation_errors"]] == [field]


@pytest.mark.parametrize("blank", ["   ", "\u3000"])
def test_a_name_of_blanks_alone_is_refused(served: Served, blank: str) -> None:
    answer = served["admin"].post("/inspection/targets", json={"code": blank, "name": blank})
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == ["code", "name"]


def test_blanks_around_a_name_are_cut_off(served: Served) -> None:
    body = {"code": " cut-1 ", "name": "\u3000Plate 2 "}
    made = served["admin"].post("/inspection/targets", json=body).json()
    assert (made["code"], made["name"]) == ("cut-1", "Plate 2")


def test_a_user_name_with_a_blank_inside_is_refused(served: Served) -> None:
    assert served["admin"].post("/users", json={**USER, "username": "a\u3000b"}).status_code == 400


@pytest.mark.parametrize("name", ["device:0197c000-0000-7000-8000-000000000001", "KEY:press", "\uff44evice:x"])
def test_a_user_name_that_stands_for_a_machine_is_refused(served: Served, name: str) -> None:
    assert served["admin"].post("/users", json={**USER, "username": name}).status_code == 400


def test_a_password_of_blanks_alone_is_refused(served: Served) -> None:
    answer = served["admin"].post("/users", json={**USER, "password": " " * 8})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "password-too-short")
