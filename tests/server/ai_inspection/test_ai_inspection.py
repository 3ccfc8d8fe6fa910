"""An item's pipeline on an uploaded image: run as an execution, judged by the item's criteria, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from inspection.anomaly import TrainingReport
from inspection.imaging.files import decode_image
from models.ids import new_id
from server.objects.keys import key_of
from tests.support.detector_files import with_description
from tests.support.executing import Executing, executing_server
from tests.support.images import png
from tests.support.serving import make_target

DETECT = {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "yolo11"}}
READ = {"id": "read", "component": "barcode", "inputs": {"image": "input"}}
BOX = {"x": 6.0, "y": 6.0, "width": 4.0, "height": 4.0}


@dataclass(eq=False)
class Part:
    """A part with one item, a session, and an uploaded image of 32 × 32 pixels."""

    executing: Executing
    target_id: str
    item_id: str
    pipeline_id: str
    session_id: str
    file_id: str

    @classmethod
    def of(cls, executing: Executing, *steps: dict[str, Any], **item: Any) -> Part:
        served = executing.served
        target_id, pipeline_id = make_target(served)["id"], executing.pipeline(*steps)
        body = {"name": "Surface", "pipeline_id": pipeline_id, **item}
        made = served["supervisor"].post(f"/inspection/targets/{target_id}/items", json=body)
        assert made.status_code == 201, made.text
        begun = served["inspector"].post("/inspection/sessions", json={"target_id": target_id}).json()
        file = served["inspector"].post("/files", files={"file": ("part.png", png(5, 32, 32))}).json()
        return cls(executing, target_id, made.json()["id"], pipeline_id, begun["id"], file["id"])

    def inspect(self, role: str = "inspector", **changed: Any) -> httpx.Response:
        body = {"session_id": self.session_id, "item_id": self.item_id, "image_file_path": self.file_id, **changed}
        return self.executing.served[role].post(f"/inspection/sessions/{self.session_id}/ai-inspection", json=body)

    def session(self) -> dict[str, Any]:
        return dict(self.executing.served["inspector"].get(f"/inspection/sessions/{self.session_id}").json())


@pytest.fixture(scope="module")
def executing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executing]:
    """A server with a detector that finds one ``a`` with confidence 0.9 whatever it sees."""
    folder = tmp_path_factory.mktemp("inspecting")
    with executing_server(folder / "data", models={"yolo11": with_description(folder)}) as running:
        yield running


@pytest.fixture
def part(executing: Executing) -> Part:
    return Part.of(executing, DETECT)


def test_the_answer_is_that_of_the_contract(part: Part) -> None:
    answer = part.inspect(
        pipeline_id=part.pipeline_id, parameters={"confidence_threshold": 0.8, "model_name": "yolo11"}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    result = body["ai_result"]
    assert set(body) == {"ai_result", "processing_time_ms", "pipeline_version", "created_at"}
    assert (result["overall_result"], body["pipeline_version"]) == ("NG", "v1")
    (found,) = result["detections"]
    assert (found["class_name"], found["bbox"]) == ("a", pytest.approx(BOX, abs=0.01))
    assert result["confidence"] == pytest.approx(0.9, abs=0.01)
    assert body["processing_time_ms"] > 0


def test_the_result_is_recorded_with_the_session(part: Part) -> None:
    result = part.inspect().json()["ai_result"]
    session = part.session()
    (recorded,) = session["ai_results"]
    (image,) = session["images"]
    assert (recorded["id"], recorded["image_id"], recorded["item_id"]) == (result["id"], image["id"], part.item_id)
    assert (recorded["pipeline_id"], recorded["pipeline_version"]) == (part.pipeline_id, 1)
    assert (session["status"], session["effective_verdict"]) == ("AI_COMPLETED", "NG")


def test_the_criteria_of_the_item_decide(executing: Executing) -> None:
    allowed = Part.of(executing, DETECT, criteria={"max_detections": {"a": 1}})
    assert allowed.inspect().json()["ai_result"]["overall_result"] == "OK"
    codes = Part.of(executing, READ)
    result = codes.inspect().json()["ai_result"]
    assert (result["overall_result"], result["reasons"]) == ("NG", ["code-none"])


def test_a_confidence_threshold_holds_for_this_inspection_alone(part: Part) -> None:
    strict = part.inspect(parameters={"confidence_threshold": 0.95}).json()["ai_result"]
    usual = part.inspect().json()["ai_result"]
    assert (strict["overall_result"], usual["overall_result"]) == ("OK", "NG")


def test_a_session_with_items_left_stays_in_progress(part: Part) -> None:
    body = {"name": "Back", "pipeline_id": part.pipeline_id}
    served = part.executing.served
    assert served["supervisor"].post(f"/inspection/targets/{part.target_id}/items", json=body).status_code == 201
    assert part.inspect().status_code == 200
    assert part.session()["status"] == "IN_PROGRESS"


def test_an_object_key_names_the_image_too(part: Part) -> None:
    file = part.executing.served["inspector"].get(f"/files/{part.file_id}/metadata").json()
    assert part.inspect(image_file_path=key_of(file["sha256"])).status_code == 200


def test_an_image_of_the_session_is_inspected_without_a_copy(part: Part) -> None:
    served = part.executing.served
    path = f"/inspection/sessions/{part.session_id}/images"
    image = served["inspector"].post(path, json={"file_id": part.file_id}).json()
    assert part.inspect(image_file_path=image["id"]).status_code == 200
    assert [one["id"] for one in part.session()["images"]] == [image["id"]]


@pytest.mark.parametrize(
    "path",
    ["../server.sqlite3", "/etc/passwd", "C:\\Windows\\win.ini", "..%2f..%2fetc", "part.png", "ab/cd/" + "e" * 64],
)
def test_what_looks_like_a_path_is_refused(part: Part, path: str) -> None:
    answer = part.inspect(image_file_path=path)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "validation-error")
    assert answer.json()["validation_errors"][0]["field"] == "image_file_path"


def test_a_wrong_threshold_is_named_as_in_the_contract(part: Part) -> None:
    answer = part.inspect(parameters={"confidence_threshold": 1.5})
    (entry,) = answer.json()["validation_errors"]
    assert (answer.status_code, entry["field"], entry["value"]) == (400, "confidence_threshold", 1.5)
    assert answer.json()["instance"] == f"/api/v1/inspection/sessions/{part.session_id}/ai-inspection"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"session_id": new_id()}, 400, "validation-error"),
        ({"parameters": {"colour": 1}}, 400, "validation-error"),
        ({"item_id": new_id()}, 404, "item-not-found"),
        ({"image_file_path": new_id()}, 404, "file-unknown"),
        ({"pipeline_id": new_id()}, 422, "inspection-error"),
        ({"parameters": {"model_name": "nowhere"}}, 422, "inspection-error"),
    ],
)
def test_what_does_not_fit_is_refused(part: Part, changed: dict[str, Any], status: int, code: str) -> None:
    answer = part.inspect(**changed)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, code)
    assert part.session()["ai_results"] == []


def test_a_misfit_names_session_item_pipeline(executing: Executing) -> None:
    part = Part.of(executing, READ)
    answer = part.inspect(parameters={"confidence_threshold": 0.5})
    assert answer.status_code == 422
    context = {"session_id": part.session_id, "item_id": part.item_id, "pipeline_id": part.pipeline_id}
    assert answer.json()["inspection_context"] == context


def test_an_item_of_another_target_does_not_fit(part: Part) -> None:
    other = Part.of(part.executing, DETECT)
    answer = part.inspect(item_id=other.item_id)
    assert (answer.status_code, answer.json()["inspection_context"]["item_id"]) == (422, other.item_id)


def test_an_image_that_does_not_fit_the_pipeline_is_a_misfit(executing: Executing) -> None:
    area = {"rectangle": {"x": 5000, "y": 5000, "width": 10, "height": 10}}
    step = {"id": "cut", "component": "crop", "inputs": {"image": "input"}, "parameters": area}
    answer = Part.of(executing, step).inspect()
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "inspection-error")


def test_an_ended_session_takes_no_result(part: Part) -> None:
    assert part.inspect().status_code == 200
    ended = part.executing.served["inspector"].post(f"/inspection/sessions/{part.session_id}/complete")
    assert ended.status_code == 200
    answer = part.inspect()
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "session-over")


def test_the_same_request_at_once_is_one_result(part: Part) -> None:
    result_id = new_id()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: part.inspect(id=result_id), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["ai_result"]["id"] for answer in answers} == {result_id}
    assert len(part.session()["ai_results"]) == 1


def test_a_result_id_of_another_session_is_taken(part: Part) -> None:
    result_id = part.inspect().json()["ai_result"]["id"]
    answer = Part.of(part.executing, DETECT).inspect(id=result_id)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "id-taken")


@pytest.mark.parametrize(("role", "status"), [("integrator", 200), ("device", 403), ("anonymous", 401)])
def test_only_who_may_inspect_does(part: Part, role: str, status: int) -> None:
    assert part.inspect(role).status_code == status


@pytest.mark.slow
def test_an_inspection_that_takes_too_long_leaves_no_result(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings: dict[str, Any] = {"ai_inspection_timeout_s": 0.001}
    with executing_server(tmp_path_factory.mktemp("impatient"), **settings) as impatient:
        part = Part.of(impatient, READ)
        answer = part.inspect()
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "ai-inspection-timeout")
        assert part.session()["ai_results"] == []


@pytest.mark.slow
def test_an_anomaly_step_adds_score_threshold_heatmap(
    tmp_path_factory: pytest.TempPathFactory, report: TrainingReport
) -> None:
    score = {"id": "score", "component": "anomaly", "inputs": {"image": "input"}, "parameters": {"model": "surface"}}
    folder = tmp_path_factory.mktemp("scoring")
    with executing_server(folder, models={"surface": report.path}) as scoring:
        part = Part.of(scoring, score, criteria={"threshold": 1000.0})
        result = part.inspect().json()["ai_result"]
        assert (result["overall_result"], result["threshold"]) == ("OK", 1000.0)
        assert 0 < result["anomaly_score"] < 1000
        heatmap = decode_image(scoring.content(result["heatmap_file_id"]))
    assert heatmap.shape[:2] == (32, 32)
