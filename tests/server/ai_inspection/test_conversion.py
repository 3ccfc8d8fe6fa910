"""An execution's output judged by an item's criteria."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.ids import new_id
from tests.support.detector_files import with_description
from tests.support.executing import Executing, executing_server
from tests.support.images import png
from tests.support.serving import make_item

DETECT = {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "yolo11"}}


@pytest.fixture(scope="module")
def executing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executing]:
    folder = tmp_path_factory.mktemp("converting")
    with executing_server(folder / "data", models={"yolo11": with_description(folder)}) as running:
        yield running


@pytest.fixture(scope="module")
def execution(executing: Executing) -> dict[str, Any]:
    one = executing.start(executing.pipeline(DETECT), ("part.png", png(5, 32, 32)))
    return executing.ended(one)


def convert(executing: Executing, execution_id: str, item_id: str, **further: Any) -> httpx.Response:
    body = {"execution_id": execution_id, "item_id": item_id, **further}
    return executing.served["inspector"].post("/inspection/pipeline-results/convert", json=body)


@pytest.mark.parametrize(
    ("criteria", "verdict", "kept"),
    [
        ({}, "NG", 1),
        ({"max_detections": {"a": 1}}, "OK", 1),
        ({"minimum_confidence": 0.95}, "OK", 0),
        ({"minimum_defect_area": 100.0}, "OK", 0),
    ],
)
def test_the_criteria_of_the_item_decide(
    executing: Executing, execution: dict[str, Any], criteria: dict[str, Any], verdict: str, kept: int
) -> None:
    item = make_item(executing.served, criteria=criteria)
    answer = convert(executing, execution["execution_id"], item["id"])
    assert answer.status_code == 200, answer.text
    result = answer.json()["ai_result"]
    assert (result["overall_result"], len(result["detections"]), result["id"]) == (verdict, kept, None)


def test_a_pipeline_that_does_not_fit_the_item_is_a_misfit(executing: Executing) -> None:
    read = {"id": "read", "component": "barcode", "inputs": {"image": "input"}, "parameters": {"formats": ["qr"]}}
    one = executing.ended(executing.start(executing.pipeline(read)))
    item = make_item(executing.served, criteria={"codes": {"serial": {"formats": ["ean-13"]}}})
    answer = convert(executing, one["execution_id"], item["id"])
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "inspection-error")
    context = {"session_id": None, "item_id": item["id"], "pipeline_id": one["pipeline_id"]}
    assert answer.json()["inspection_context"] == context


def test_what_is_not_there_is_not_found(executing: Executing, execution: dict[str, Any]) -> None:
    item = make_item(executing.served)
    answers = [
        convert(executing, new_id(), item["id"]),
        convert(executing, execution["execution_id"], new_id()),
        convert(executing, execution["execution_id"], item["id"], file_index=7),
    ]
    codes = [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in answers]
    assert codes == [(404, "execution-not-found"), (404, "item-not-found"), (404, "execution-output-unknown")]


def test_a_cancelled_execution_has_nothing_to_judge(tmp_path: Path) -> None:
    with executing_server(tmp_path / "data", execution_slots=0) as waiting:
        one = waiting.start(waiting.pipeline())
        waiting.served["inspector"].post(f"/executions/{one}/cancel")
        answer = convert(waiting, one, make_item(waiting.served)["id"])
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "execution-not-completed")
