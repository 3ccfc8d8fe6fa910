"""What an integrator meets: one name for one thing, ids in any case, and errors that say exactly what is wrong."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from models.ids import new_id
from tests.support.images import png
from tests.support.serving import Served, enrol, make_item, make_target

NOBODY = "0197c000-0000-7000-8000-0000000000ff"


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def uploaded(served: Served, data: bytes = png(3), **fields: str) -> httpx.Response:
    return served["inspector"].post("/files", files={"file": ("part.png", data, "image/png")}, data=fields)


def started(served: Served, **fields: Any) -> dict[str, Any]:
    body = {"target_id": make_target(served)["id"], **fields}
    answer = served["inspector"].post("/inspection/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("path", ["/inspection/sessions", "/files"])
def test_a_forgotten_content_type_is_named_as_missing(served: Served, path: str) -> None:
    answer = served["inspector"].post(path, content=b'{"target_id": "x"}')
    assert (answer.status_code, code_of(answer)) == (415, "media-type-missing")


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [('{"lot": "L",}', 1, 13), ('{\n  "lot": "L"\n  "x": 1\n}', 3, 3), ("", 1, 1), ('{"lot": "é" x}', 1, 13)],
)
def test_bad_json_is_located_by_line_with_column(served: Served, body: str, line: int, column: int) -> None:
    head = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
    if body:
        answer = served["inspector"].post("/inspection/sessions", content=body.encode(), headers=head)
        assert (answer.status_code, answer.json()["line"], answer.json()["column"]) == (400, line, column)
    batch = served["device"].post("/inspection/sync/apply-changes", content=body.encode(), headers=head)
    assert (batch.status_code, batch.json()["line"], batch.json()["column"]) == (400, line, column)


def test_an_id_in_upper_case_is_found(served: Served) -> None:
    item, session = make_item(served), started(served)
    for path in (
        f"/inspection/items/{item['id'].upper()}",
        f"/inspection/targets/{item['target_id'].upper()}/items",
        f"/inspection/sessions/{session['id'].upper()}",
    ):
        assert served["inspector"].get(path).status_code == 200
    wanted = {"target_id": session["target_id"].upper()}
    assert served["inspector"].get("/inspection/sessions", params=wanted).json()["total_count"] == 1


def test_an_id_in_upper_case_is_kept_in_lower_case(served: Served) -> None:
    session_id, target = new_id(), make_target(served)
    station = enrol(served)["device_id"]
    body = {"id": session_id.upper(), "target_id": target["id"].upper(), "device_id": station.upper()}
    made = served["supervisor"].post("/inspection/sessions", json=body).json()
    assert (made["id"], made["target_id"], made["device_id"]) == (session_id, target["id"], station)
    config = {"device_id": station.upper(), "settings": {}}
    assert served["admin"].put("/tauri/config", json=config).json()["device_id"] == station


def test_an_upload_with_an_id_of_the_client_has_one_effect(served: Served) -> None:
    file_id = new_id()
    first, again = (uploaded(served, id=file_id) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == file_id
    other = uploaded(served, png(4), id=file_id)
    assert (other.status_code, code_of(other)) == (409, "id-taken")


def test_an_upload_with_a_malformed_id_is_refused(served: Served) -> None:
    answer = uploaded(served, id="mine")
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "id")


def test_a_file_becomes_an_image_of_a_session(served: Served) -> None:
    file, session = uploaded(served).json(), started(served)
    item = served["admin"].post(f"/inspection/targets/{session['target_id']}/items", json={"name": "I"}).json()
    url = f"/inspection/sessions/{session['id']}"
    body = {"id": new_id(), "file_id": file["id"], "item_id": item["id"], "source": "microscope"}
    made, again = (served["inspector"].post(f"{url}/images", json=body) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    expected = {"id": body["id"], "sha256": file["sha256"], "width": file["width"], "source": "microscope"}
    assert expected.items() <= made.json().items()
    assert served["inspector"].get(url).json()["images"] == [made.json()]
    assert served["inspector"].get(f"{served.url}{made.headers['location']}").content == png(3)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [({"file_id": NOBODY}, 404, "file-unknown"), ({"item_id": NOBODY}, 422, "image-of-another-target")],
)
def test_an_image_of_nothing_known_is_refused(served: Served, change: dict[str, str], status: int, code: str) -> None:
    body = {"file_id": uploaded(served).json()["id"], **change}
    answer = served["inspector"].post(f"/inspection/sessions/{started(served)['id']}/images", json=body)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_nothing_is_attached_to_a_session_that_is_over(served: Served) -> None:
    url = f"/inspection/sessions/{started(served)['id']}"
    assert served["inspector"].put(url, json={"status": "CANCELLED"}).status_code == 200
    answer = served["inspector"].post(f"{url}/images", json={"file_id": uploaded(served).json()["id"]})
    assert (answer.status_code, code_of(answer)) == (409, "session-over")


def decided(served: Served, verdict: str, **fields: Any) -> dict[str, Any]:
    session = started(served, **fields)
    url = f"/inspection/sessions/{session['id']}/human-verification"
    body = {"verdict": verdict, "complete": True, "defects": [{"class": "scratch"}] if verdict == "NG" else []}
    assert served["inspector"].post(url, json=body).status_code == 201
    return session


def test_statistics_count_one_target_or_one_lot(served: Served) -> None:
    lot = new_id()
    session = decided(served, "OK", lot=lot)
    decided(served, "NG", lot=lot)

    def counts(**query: str) -> tuple[int, int, dict[str, int]]:
        answer = served["inspector"].get("/inspection/statistics", params=query).json()
        return answer["summary"]["ok_count"], answer["summary"]["ng_count"], answer["defect_analysis"]

    assert counts(lot=lot) == (1, 1, {"scratch": 1})
    assert counts(lot=lot, target_id=session["target_id"]) == (1, 0, {})
    assert counts(lot=lot, device_id="server") == (1, 1, {"scratch": 1})
    assert counts(lot=lot, device_id=new_id()) == (0, 0, {})
    assert counts(lot=new_id()) == (0, 0, {})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/inspection/items/{item}/pipeline", {"parameters": {}}),
        ("/inspection/items/{item}", {"parameters": {}}),
    ],
)
def test_pipeline_parameters_have_no_second_name(served: Served, path: str, body: dict[str, Any]) -> None:
    answer = served["supervisor"].put(path.format(item=make_item(served)["id"]), json=body)
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == ["parameters"]


def test_a_defect_has_no_second_name_for_its_class(served: Served) -> None:
    url = f"/inspection/sessions/{started(served)['id']}/human-verification"
    answer = served["inspector"].post(url, json={"verdict": "NG", "defects": [{"class_name": "scratch"}]})
    fields = {entry["field"] for entry in answer.json()["validation_errors"]}
    assert fields == {"defects.0.class", "defects.0.class_name"}
