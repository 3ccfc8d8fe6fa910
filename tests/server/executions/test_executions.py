"""Pipelines run on the server: asked for by a form, watched, cancelled, their outputs read as files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from inspection.imaging.files import decode_image
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from server.context import ServerContext
from server.executions import service
from server.executions.intake import Draft
from server.executions.pipelines import ResolvedPipeline
from tests.support.executing import RESIZE_BLUR, Executing, jpeg


def test_an_accepted_execution_ends_completed(executing: Executing) -> None:
    answer = executing.post(executing.pipeline(), ("part.jpg", jpeg()))
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/executions/{answer.json()['execution_id']}"
    state = executing.ended(answer.json()["execution_id"])
    assert (state["status"], state["progress"], state["execution_mode"]) == ("completed", 100.0, "direct_grpc")
    assert [step["step_id"] for step in state["steps"]] == ["small", "blur"]
    assert state["processing_time_ms"] > 0


def test_the_outputs_equal_those_of_a_local_run(executing: Executing) -> None:
    data = jpeg(seed=3)
    state = executing.ended(executing.start(executing.pipeline(), ("part.jpg", data)))
    local = Runner(validate_definition(PipelineDefinition.parse({"name": "P", "steps": RESIZE_BLUR})))
    outcome = local.run(decode_image(data))
    outputs = {file["output_kind"]: executing.content(file["file_id"]) for file in state["output_files"]}
    assert outcome.overlay is not None
    assert decode_image(outputs["picture"]).tolist() == outcome.overlay.tolist()
    result = json.loads(outputs["result"])
    assert result["overall_result"] == outcome.result.overall_result.value
    assert result["detections"] == []


def test_an_output_has_the_digest_that_is_listed(executing: Executing) -> None:
    state = executing.ended(executing.start(executing.pipeline()))
    for file in state["output_files"]:
        assert hashlib.sha256(executing.content(file["file_id"])).hexdigest() == file["sha256"]
        assert file["download_url"] == f"/api/v1/files/{file['file_id']}/download"


@pytest.mark.parametrize("kind", ["input_files", "output_files"])
def test_a_file_of_an_execution_is_not_deleted(executing: Executing, kind: str) -> None:
    (file, *_) = executing.ended(executing.start(executing.pipeline()))[kind]
    answer = executing.served["admin"].delete(f"/files/{file['file_id']}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "file-in-use")
    assert executing.content(file["file_id"])


def test_a_result_has_no_preview(executing: Executing) -> None:
    outputs = executing.ended(executing.start(executing.pipeline()))["output_files"]
    (result,) = [file for file in outputs if file["output_kind"] == "result"]
    answer = executing.served["inspector"].get(f"/files/{result['file_id']}/preview")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "file-without-preview")


def test_several_files_are_several_runs(executing: Executing) -> None:
    files = [(f"{number}.jpg", jpeg(seed=number)) for number in range(3)]
    state = executing.ended(executing.start(executing.pipeline(), *files))
    assert [(file["filename"], file["status"], file["progress"]) for file in state["input_files"]] == [
        (f"{number}.jpg", "completed", 100.0) for number in range(3)
    ]
    assert sorted({file["file_index"] for file in state["output_files"]}) == [0, 1, 2]


def test_parameters_override_those_of_steps(executing: Executing) -> None:
    parameters = {"small": {"width": 32, "height": 32}}
    state = executing.ended(executing.start(executing.pipeline(), parameters=parameters))
    (picture,) = [file for file in state["output_files"] if file["output_kind"] == "picture"]
    assert state["parameters"] == parameters
    assert decode_image(executing.content(picture["file_id"])).shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"parameters": {"small": {"width": -1}}}, "parameters.small.width"),
        ({"parameters": {"small": {"breadth": 1}}}, "parameters.small.breadth"),
        ({"parameters": {"nowhere": {"width": 1}}}, "parameters.nowhere"),
        ({"parameters": {"small": 5}}, "parameters.small"),
        ({"parameters": "{"}, "parameters"),
        ({"parameters": [1]}, "parameters"),
        ({"priority": "urgent"}, "priority"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(executing: Executing, fields: dict[str, Any], field: str) -> None:
    answer = executing.post(executing.pipeline(), ("part.jpg", jpeg()), **fields)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].endswith("/validation-error")
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == [field]


def test_more_parameters_than_any_pipeline_has_are_refused(executing: Executing) -> None:
    parameters = {"small": {f"x{number}": 1 for number in range(9_000)}}
    answer = executing.post(executing.pipeline(), ("part.jpg", jpeg()), parameters=parameters)
    assert answer.status_code == 400
    assert [entry["field"] for entry in answer.json()["validation_errors"]] == ["parameters"]


@pytest.mark.parametrize(
    "names", [("pipeline_id", "parameters", "input_files"), ("pipeline_id", "input_files", "parameters")]
)
def test_many_parameters_are_not_checked_on_the_event_loop(
    executing: Executing, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    pipeline = executing.pipeline()
    executing.ended(executing.start(pipeline))
    resolve, threads = service.resolve, []

    def noticed(connection: Connection, pipeline_id: str, parameters: Any, models: Any) -> ResolvedPipeline:
        if parameters:
            threads.append(threading.current_thread().name)
        return resolve(connection, pipeline_id, parameters, models)

    monkeypatch.setattr(service, "resolve", noticed)
    parameters = json.dumps({"small": {f"x{number}": 1 for number in range(900)}})
    parts: dict[str, Any] = {
        "pipeline_id": (None, pipeline),
        "parameters": (None, parameters),
        "input_files": ("part.jpg", jpeg()),
    }
    answer = executing.served["inspector"].post("/executions", files=[(name, parts[name]) for name in names])
    assert (answer.status_code, answer.json()["validation_errors_omitted"]) == (400, 850)
    assert [name.startswith("ThreadPoolExecutor-") for name in threads] == [True]


def test_a_form_without_pipeline_is_refused(executing: Executing) -> None:
    answer = executing.post(None, ("part.jpg", jpeg()))
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "pipeline_id")


def test_an_unknown_pipeline_is_not_found(executing: Executing) -> None:
    answer = executing.post("01900000-0000-7000-8000-000000000000", ("part.jpg", jpeg()))
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "pipeline-not-found")


def posted_in_two(
    executing: Executing, monkeypatch: pytest.MonkeyPatch, pipeline: str, between: Callable[[], None]
) -> httpx.Response:
    """Ask for an execution; something happens when the pipeline has been looked at, within the upload of the file."""
    check, checked = service.check_draft, threading.Event()

    def noticed(context: ServerContext, draft: Draft) -> ResolvedPipeline:
        found = check(context, draft)
        checked.set()
        return found

    monkeypatch.setattr(service, "check_draft", noticed)

    def body() -> Iterator[bytes]:
        named = f'--x\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n{pipeline}\r\n'
        file = '--x\r\nContent-Disposition: form-data; name="input_files"; filename="part.jpg"\r\n'
        yield f"{named}{file}Content-Type: image/jpeg\r\n\r\n".encode() + jpeg()[:100]
        assert checked.wait(30)
        between()
        yield jpeg()[100:] + b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return executing.served["inspector"].post("/executions", content=body(), headers=headers)


def test_a_pipeline_deleted_within_the_upload_does_not_run(
    executing: Executing, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = executing.pipeline()

    def delete() -> None:
        assert executing.served["supervisor"].delete(f"/pipelines/{pipeline}").status_code == 204

    answer = posted_in_two(executing, monkeypatch, pipeline, delete)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "pipeline-not-found")


def test_a_pipeline_changed_within_the_upload_runs_as_it_is_now(
    executing: Executing, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = executing.pipeline()

    def change() -> None:
        body = {"definition": {"name": "P", "steps": RESIZE_BLUR[:1]}}
        answer = executing.served["supervisor"].put(f"/pipelines/{pipeline}", json=body)
        assert answer.status_code == 200, answer.text

    answer = posted_in_two(executing, monkeypatch, pipeline, change)
    state = executing.ended(answer.json()["execution_id"])
    assert (state["pipeline_version"], [step["step_id"] for step in state["steps"]]) == (2, ["small"])


@pytest.mark.parametrize("data", [b"%PDF-1.7 no image", b"", jpeg()[:300]])
def test_what_is_no_image_is_refused_whatever_it_says(executing: Executing, data: bytes) -> None:
    before = executing.served["inspector"].get("/executions").json()["total_count"]
    answer = executing.post(executing.pipeline(), ("part.jpg", data))
    assert answer.status_code == 400, answer.text
    assert executing.served["inspector"].get("/executions").json()["total_count"] == before


def test_ten_thousand_parts_are_refused(executing: Executing) -> None:
    boundary = "x"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="priority"\r\n\r\nlow\r\n'
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\nx\r\n' + part * 10_000
    answer = executing.served["inspector"].post(
        "/executions",
        content=f"{body}--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (413, "form-too-many-parts")


def test_a_form_that_ends_early_is_refused(executing: Executing) -> None:
    answer = executing.served["inspector"].post(
        "/executions",
        content=b'--x\r\nContent-Disposition: form-data; name="input_files"; filename="a.jpg"\r\n\r\nabc',
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 400


def test_the_same_request_with_a_key_is_one_execution(executing: Executing) -> None:
    pipeline, headers = executing.pipeline(), {"Idempotency-Key": "order-7"}
    first, second = (executing.post(pipeline, ("part.jpg", jpeg()), headers=headers) for _ in range(2))
    assert first.json()["execution_id"] == second.json()["execution_id"]
    other = executing.post(pipeline, ("part.jpg", jpeg(seed=9)), headers=headers)
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "idempotency-key-used")


def test_an_image_that_does_not_fit_fails_its_execution(executing: Executing) -> None:
    area = {"rectangle": {"x": 5000, "y": 5000, "width": 10, "height": 10}}
    step = {"id": "cut", "component": "crop", "inputs": {"image": "input"}, "parameters": area}
    state = executing.ended(executing.start(executing.pipeline(step)))
    assert state["status"] == "failed"
    assert state["error"]["code"]


def test_a_pipeline_of_a_missing_model_is_refused(executing: Executing) -> None:
    step = {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "gone"}}
    answer = executing.post(executing.pipeline(step), ("part.jpg", jpeg()))
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "execution-model-missing")


def test_a_list_knows_status_pipeline_place_in_pages_or_entries(executing: Executing) -> None:
    pipeline = executing.pipeline()
    ids = [executing.start(pipeline) for _ in range(3)]
    for one in ids:
        executing.ended(one)
    listed = executing.served["inspector"].get(
        "/executions", params={"pipeline_id": pipeline, "status": "completed", "limit": 2, "offset": 1}
    )
    assert [item["execution_id"] for item in listed.json()["items"]] == [ids[1], ids[0]]
    assert listed.json()["total_count"] == 3
    mine = executing.served["supervisor"].get("/executions", params={"pipeline_id": pipeline, "mine": True})
    assert mine.json()["total_count"] == 0


def listed(executing: Executing, role: str = "inspector", **params: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the ids of a list, and the page."""
    answer = executing.served[role].get("/executions", params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return [item["execution_id"] for item in page["items"]], page


@pytest.fixture(scope="module")
def five(executing: Executing) -> tuple[str, list[str]]:
    """A pipeline and its executions, oldest first; the supervisor asked for the last one."""
    pipeline = executing.pipeline()
    ids = [executing.start(pipeline, role="supervisor" if number == 4 else "inspector") for number in range(5)]
    for one in ids:
        executing.ended(one)
    return pipeline, ids


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"page": 1, "page_size": 2}, [4, 3]),
        ({"page": 3, "page_size": 2}, [0]),
        ({"page": 4, "page_size": 2}, []),
        ({"limit": 2}, [4, 3]),
        ({"limit": 2, "offset": 3}, [1, 0]),
        ({"limit": 10, "offset": 5}, []),
    ],
)
def test_a_list_comes_in_pages_or_from_an_offset(
    executing: Executing, five: tuple[str, list[str]], place: dict[str, int], expected: list[int]
) -> None:
    pipeline, ids = five
    found, page = listed(executing, pipeline_id=pipeline, **place)
    assert found == [ids[number] for number in expected]
    assert page["total_count"] == 5


def test_a_list_knows_who_asked(executing: Executing, five: tuple[str, list[str]]) -> None:
    pipeline, ids = five
    assert listed(executing, "supervisor", pipeline_id=pipeline, mine=True)[0] == [ids[4]]
    assert listed(executing, "inspector", pipeline_id=pipeline, mine=True)[0] == ids[3::-1]


def test_a_list_knows_the_time_of_the_request(executing: Executing, five: tuple[str, list[str]]) -> None:
    pipeline, ids = five
    times = [executing.state(one)["created_at"] for one in ids]
    since = listed(executing, pipeline_id=pipeline, start_date=times[3])[0]
    assert since == [one for one, time in zip(ids, times, strict=True) if time >= times[3]][::-1]
    until = listed(executing, pipeline_id=pipeline, end_date=times[1])[0]
    assert set(since).isdisjoint(until)
    assert ids[0] in until
    assert listed(executing, pipeline_id=pipeline, start_date="2099-01-01")[0] == []


def test_a_list_knows_the_status(executing: Executing, five: tuple[str, list[str]]) -> None:
    pipeline, ids = five
    assert listed(executing, pipeline_id=pipeline, status="completed")[0] == ids[::-1]
    assert listed(executing, pipeline_id=pipeline, status="failed")[0] == []


@pytest.mark.parametrize(("given", "shown"), [("high", "high"), ("low", "low"), (None, "normal")])
def test_an_execution_has_the_priority_that_was_asked_for(executing: Executing, given: str | None, shown: str) -> None:
    fields = {} if given is None else {"priority": given}
    assert executing.state(executing.start(executing.pipeline(), **fields))["priority"] == shown


def test_an_ended_execution_cannot_be_cancelled(executing: Executing) -> None:
    one = executing.start(executing.pipeline())
    executing.ended(one)
    answer = executing.served["inspector"].post(f"/executions/{one}/cancel")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "execution-ended")


def test_who_only_watches_cannot_run(executing: Executing) -> None:
    answer = executing.served["device"].post("/executions", data={"pipeline_id": "x"}, files=[("x", ("a", b""))])
    assert answer.status_code == 403
