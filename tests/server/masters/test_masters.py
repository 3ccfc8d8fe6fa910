"""Masters over real HTTP: made, listed, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select

from inspection.recipe.reading import read_threshold
from models.audit import AuditEntry
from models.ids import new_id
from models.messages import error_text
from models.pipelines import ModelFile
from models.sync import ChangeLogEntry
from models.targets import InspectionItem
from server.masters.schemas import DEFINITION_EXAMPLE
from sync.shared.item_records import ItemRecords
from tests.support.messages import says
from tests.support.serving import Served, definition, make_item, make_pipeline, make_target


def test_the_same_request_twice_has_one_effect(served: Served) -> None:
    body = {"id": new_id(), "code": f"T-{new_id()}", "name": "Plate"}
    first = served["supervisor"].post("/inspection/targets", json=body)
    again = served["supervisor"].post("/inspection/targets", json=body)
    other = served["supervisor"].post("/inspection/targets", json={**body, "name": "Other"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == again.json()
    with served.context.database.read() as session:
        query = select(func.count()).where(ChangeLogEntry.entity_id == body["id"])
        assert session.scalar(query) == 1


def test_times_are_utc_with_milliseconds(served: Served) -> None:
    stamp = make_target(served)["created_at"]
    assert len(stamp) == len("2025-07-27T10:30:00.000Z")
    assert stamp.endswith("Z")


def test_a_code_names_one_target_until_that_is_deleted(served: Served) -> None:
    target = make_target(served)
    body = {"code": target["code"], "name": "Another"}
    assert served["supervisor"].post("/inspection/targets", json=body).json()["type"].endswith("/code-taken")
    assert served["supervisor"].delete(f"/inspection/targets/{target['id']}").status_code == 204
    assert served["supervisor"].post("/inspection/targets", json=body).status_code == 201
    assert served["supervisor"].get(f"/inspection/targets/{target['id']}").status_code == 404


def test_a_change_leaves_what_it_does_not_send(served: Served) -> None:
    target = make_target(served, description="as before")
    changed = served["supervisor"].put(f"/inspection/targets/{target['id']}", json={"name": "New"}).json()
    assert (changed["name"], changed["description"]) == ("New", "as before")
    assert changed["rev"] > target["rev"]


def test_a_searched_list_is_cut_into_pages(served: Served) -> None:
    mark = new_id()
    for number in range(7):
        make_target(served, name=f"{mark} {number} 50%_plate")

    def page(**query: Any) -> dict[str, Any]:
        return dict(served["inspector"].get("/inspection/targets", params={"search": mark, **query}).json())

    first, last = page(page=1, page_size=3), page(page=3, page_size=3)
    assert (first["total_count"], first["total_pages"], len(first["items"]), len(last["items"])) == (7, 3, 3, 1)
    assert page(page=4, page_size=3)["items"] == []
    assert page(search=f"{mark} 4 50%_P".upper())["total_count"] == 1
    seen = [entry["id"] for number in (1, 2, 3) for entry in page(page=number, page_size=3)["items"]]
    assert len(set(seen)) == 7


def test_a_list_of_nothing_has_the_whole_envelope(served: Served) -> None:
    empty = served["inspector"].get("/inspection/targets", params={"search": new_id()}).json()
    assert empty == {"items": [], "total_count": 0, "page": 1, "page_size": 50, "total_pages": 0}


def test_a_page_or_size_outside_its_bounds_is_rejected(served: Served) -> None:
    for query in ({"page": 0}, {"page_size": 501}, {"page": "x"}, {"page": 10**30}):
        assert served["inspector"].get("/inspection/targets", params=query).status_code == 400


def test_only_another_definition_is_a_new_version(served: Served) -> None:
    pipeline = make_pipeline(served)
    url = f"/pipelines/{pipeline['id']}"
    assert served["supervisor"].put(url, json={"name": "renamed"}).json()["version"] == 1
    changed = definition()
    changed["description"] = "another"
    assert served["supervisor"].put(url, json={"definition": changed}).json()["version"] == 2
    assert served["supervisor"].put(url, json={"definition": changed}).json()["version"] == 2


def test_a_definition_that_cannot_run_is_rejected_by_field(served: Served) -> None:
    broken = definition()
    broken["steps"][0]["component"] = "no-such-component"
    answer = served["supervisor"].post("/pipelines", json={"name": "x", "definition": broken})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/validation-error")
    assert answer.json()["validation_errors"][0]["field"].endswith(".component")


def test_a_wrong_parameter_of_a_pipeline_is_reported_in_the_language_asked_for(served: Served) -> None:
    broken = definition()
    broken["steps"][-1]["parameters"] = {"filter_type": "overlay", "longest_side": 0}
    body = {"name": "x", "definition": broken}
    answer = served["supervisor"].post("/pipelines", json=body, headers={"Accept-Language": "ja"})
    entry = answer.json()["validation_errors"][0]
    assert entry["field"].endswith("parameters.longest_side")
    reason = error_text("value-greater-than-equal", {"ge": 64}, "ja").detail
    assert reason in entry["message"]
    assert reason in answer.json()["detail"]
    assert "definition.parameters" not in answer.json()["detail"], "a path that there is not"


def test_a_pipeline_in_use_is_not_deleted_until_no_item_uses_it(served: Served) -> None:
    pipeline = make_pipeline(served)
    item = make_item(served, pipeline_id=pipeline["id"])
    refused = served["supervisor"].delete(f"/pipelines/{pipeline['id']}")
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("/pipeline-in-use")
    assert served["supervisor"].put(f"/inspection/items/{item['id']}/pipeline", json={}).status_code == 200
    assert served["supervisor"].delete(f"/pipelines/{pipeline['id']}").status_code == 204


def test_an_item_gets_its_pipeline_with_parameters(served: Served) -> None:
    pipeline = make_pipeline(served)
    item = make_item(served)
    body = {"pipeline_id": pipeline["id"], "pipeline_parameters": {"overlay": {"longest_side": 320}}}
    url = f"/inspection/items/{item['id']}/pipeline"
    set_to = served["supervisor"].put(url, json=body)
    assert set_to.status_code == 200, set_to.text
    read = served["inspector"].get(url).json()
    assert read == {"item_id": item["id"], "pipeline_version": 1, **body}


def test_another_model_leaves_an_items_threshold_with_the_model_it_was_chosen_for(served: Served) -> None:
    pipeline, supervisor = make_pipeline(served), served["supervisor"]
    files = [
        ModelFile(name=name, model_kind="anomaly", sha256=name * 64, size_bytes=1, metrics={"threshold": own})
        for name, own in (("a", 3.0), ("b", 4.0))
    ]
    with served.context.database.transaction() as session:
        session.add_all(files)
    first, second = (file.id for file in files)

    def models(model_id: str) -> dict[str, Any]:
        return {"pipeline_id": pipeline["id"], "pipeline_parameters": {"anomaly": {"model": model_id}}}

    def held() -> tuple[float, str] | None:
        with served.context.database.read() as session:
            found = read_threshold(session.get_one(InspectionItem, item["id"]), ItemRecords(session, "any"))
            return None if found is None else (found.value, found.origin)

    item = make_item(served, pipeline_id=pipeline["id"], pipeline_parameters=models(first)["pipeline_parameters"])
    url = f"/inspection/items/{item['id']}"
    criteria = {"threshold": 9.0, "threshold_model": "a" * 64}
    assert supervisor.put(url, json={"criteria": criteria}).json()["criteria"] == criteria
    assert held() == (9.0, "item")
    assert supervisor.put(f"{url}/pipeline", json=models(second)).status_code == 200
    assert served["inspector"].get(url).json()["criteria"] == criteria
    assert held() == (4.0, "model")
    assert supervisor.put(url, json={"criteria": {"threshold": 8.0}}).status_code == 200
    assert held() == (8.0, "item")
    for wrong in ("the newest", "A" * 64, 5):
        refused = supervisor.put(url, json={"criteria": {"threshold": 8.0, "threshold_model": wrong}})
        assert (refused.status_code, refused.json()["validation_errors"][0]["field"]) == (
            400,
            "criteria.threshold_model",
        )


def test_a_new_version_under_which_an_item_would_not_run_is_refused(served: Served) -> None:
    pipeline = make_pipeline(served)
    item = make_item(served, pipeline_id=pipeline["id"], pipeline_parameters={"overlay": {"longest_side": 320}})
    definition = json.loads(json.dumps(pipeline["definition"]).replace('"id": "overlay"', '"id": "drawn"'))
    url = f"/pipelines/{pipeline['id']}"
    refused = served["supervisor"].put(url, json={"definition": definition})
    assert (refused.status_code, refused.json()["inspection_context"]["item_id"]) == (422, item["id"])
    assert served["supervisor"].get(url).json() == pipeline
    without = {"pipeline_id": pipeline["id"]}
    assert served["supervisor"].put(f"/inspection/items/{item['id']}/pipeline", json=without).status_code == 200
    assert served["supervisor"].put(url, json={"definition": definition}).json()["version"] == 2


def test_a_pipeline_that_does_not_fit_is_422_with_its_context(served: Served) -> None:
    pipeline = make_pipeline(served)
    item = make_item(served)
    url = f"/inspection/items/{item['id']}/pipeline"
    for wrong in (
        {"pipeline_id": new_id()},
        {"pipeline_id": pipeline["id"], "pipeline_parameters": {"nowhere": {}}},
        {"pipeline_id": pipeline["id"], "pipeline_parameters": {"overlay": {"longest_side": -1}}},
        {"pipeline_id": pipeline["id"], "pipeline_parameters": {"overlay": 5}},
        {"pipeline_parameters": {"overlay": {}}},
    ):
        answer = served["supervisor"].put(url, json=wrong)
        assert answer.status_code == 422, answer.text
        body = answer.json()
        assert body["type"].endswith("/inspection-error")
        assert body["inspection_context"]["item_id"] == item["id"]
        assert body["inspection_context"]["pipeline_id"] == wrong.get("pipeline_id")


def test_why_a_pipeline_does_not_fit_is_reported_in_the_language_asked_for(served: Served) -> None:
    pipeline, item = make_pipeline(served), make_item(served)
    answer = served["supervisor"].put(
        f"/inspection/items/{item['id']}/pipeline",
        json={"pipeline_id": pipeline["id"], "pipeline_parameters": {"overlay": {"longest_side": -1}}},
        headers={"Accept-Language": "ja"},
    )
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    reason = error_text("value-greater-than-equal", {"ge": 64}, "ja").detail
    assert says(detail, "pipeline-parameter", "ja", step="overlay", reason=reason.rstrip("。"))
    assert detail.endswith(reason)


def test_criteria_are_checked_by_field(served: Served) -> None:
    target = make_target(served)
    body = {"name": "x", "criteria": {"threshold": -1, "minimum_confidence": 0.5}}
    answer = served["supervisor"].post(f"/inspection/targets/{target['id']}/items", json=body)
    assert answer.status_code == 400
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == ["criteria.threshold"]


def test_items_go_with_their_target(served: Served) -> None:
    item = make_item(served)
    assert served["supervisor"].delete(f"/inspection/targets/{item['target_id']}").status_code == 204
    assert served["inspector"].get(f"/inspection/items/{item['id']}").status_code == 404
    assert served["inspector"].get(f"/inspection/targets/{item['target_id']}/items").status_code == 404


def test_items_are_listed_in_the_order_of_inspection(served: Served) -> None:
    target = make_target(served)
    for position in (3, 1, 2):
        body = {"name": f"item {position}", "position": position}
        served["supervisor"].post(f"/inspection/targets/{target['id']}/items", json=body)
    listed = served["inspector"].get(f"/inspection/targets/{target['id']}/items").json()["items"]
    assert [entry["position"] for entry in listed] == [1, 2, 3]


def test_every_change_is_in_the_audit_trail_with_who_made_it(served: Served) -> None:
    target = make_target(served)
    url = f"/inspection/targets/{target['id']}"
    served["admin"].put(url, json={"name": "Changed"})
    served["supervisor"].delete(url)
    with served.context.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.subject_id == target["id"]).order_by(AuditEntry.sequence)
        trail = [(entry.actor, entry.action, entry.device_id) for entry in session.scalars(query)]
    assert trail == [
        ("supervisor", "target.created", "server"),
        ("admin", "target.changed", "server"),
        ("supervisor", "target.deleted", "server"),
    ]


def test_components_have_the_schema_of_their_parameters(served: Served) -> None:
    listed = served["inspector"].get("/components").json()
    assert {"resize", "anomaly", "filter"} <= {entry["id"] for entry in listed["items"]}
    one = served["inspector"].get("/components/resize").json()
    assert one["parameters"]["type"] == "object"
    assert one["parameters"]["properties"]["width"]
    assert served["inspector"].get("/components/nothing").status_code == 404


def test_a_kind_of_defect_has_a_name_in_both_languages(served: Served) -> None:
    body = {"code": f"d-{new_id()}", "name_en": "Scratch", "name_ja": "キズ"}
    made = served["supervisor"].post("/inspection/defect-classes", json=body).json()
    assert served["inspector"].get(f"/inspection/defect-classes/{made['id']}").json()["name_ja"] == "キズ"


def test_a_field_of_the_definition_is_named_below_it(served: Served) -> None:
    answer = served["supervisor"].post("/pipelines", json={"name": "surface", "definition": {"steps": []}})
    assert answer.status_code == 400
    fields = [entry["field"] for entry in answer.json()["validation_errors"]]
    assert fields
    assert all(field.startswith("definition.") for field in fields)


def test_the_definition_in_the_manual_can_run(served: Served) -> None:
    answer = served["supervisor"].post("/pipelines", json={"name": "surface", "definition": DEFINITION_EXAMPLE})
    assert answer.status_code == 201, answer.text
