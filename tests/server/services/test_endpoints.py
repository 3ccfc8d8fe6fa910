"""What REST shows of the gRPC services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.executing import jpeg
from tests.support.live_clients import live, message
from tests.support.serving import Served, serve_with_users

KEYS = ["resize", "ai-detection", "filter"]


def shown(served: Served, path: str = "/grpc-services") -> dict[str, dict]:
    answer = served["inspector"].get(path)
    assert answer.status_code == 200, answer.text
    listed = answer.json()
    return {service["id"]: service for service in (listed if isinstance(listed, list) else listed["services"])}


def test_each_embedded_service_is_up_with_one_replica(served: Served) -> None:
    services = shown(served)
    for key in KEYS:
        found = services[key]
        assert (found["status"], found["embedded"], found["circuit"]) == ("up", True, "closed")
        assert [replica["status"] for replica in found["replicas"]] == ["up"]
        assert found["address"] == found["replicas"][0]["address"]
        assert found["latency_ms"] > 0


@pytest.mark.parametrize(("key", "timeout", "retries"), [("resize", 30, 3), ("ai-detection", 60, 2), ("filter", 20, 3)])
def test_a_service_has_the_deadline_with_the_retries_of_the_contract(
    served: Served, key: str, timeout: float, retries: int
) -> None:
    assert (shown(served)[key]["timeout_s"], shown(served)[key]["retries"]) == (timeout, retries)


def test_the_health_of_services_is_asked_anew(served: Served) -> None:
    answer = served["inspector"].get("/grpc-services/health")
    assert answer.json()["status"] == "ok"
    assert shown(served, "/grpc-services/health").keys() >= set(KEYS)


def test_services_are_not_shown_to_whoever_is_not_signed_in(served: Served) -> None:
    assert served["anonymous"].get("/grpc-services").status_code == 401


def test_the_health_of_the_server_has_each_service(served: Served) -> None:
    services = served["anonymous"].get("/health").json()["grpc_services"]
    assert {key: services[key]["status"] for key in KEYS} == dict.fromkeys(KEYS, "up")
    assert {services[key]["replicas"] for key in KEYS} == {1}


def test_the_state_of_the_system_has_each_service(served: Served) -> None:
    with live(served, "/ws/system-status", "inspector") as connection:
        services = message(connection)["grpc_services"]
    assert {key: services[key] for key in KEYS} == {key: {"status": "up", "circuit": "closed"} for key in KEYS}


@pytest.mark.parametrize(
    ("component", "places"),
    [
        ("resize", ["local", "resize"]),
        ("ai_detection", ["local", "ai-detection"]),
        ("filter", ["local", "filter"]),
        ("anomaly", ["local"]),
    ],
)
def test_a_component_says_where_its_steps_may_run(served: Served, component: str, places: list[str]) -> None:
    assert served["inspector"].get(f"/components/{component}").json()["runs_in"] == places


@pytest.fixture(scope="module")
def with_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server with a model whose file is missing, and the place of the file."""
    folder = tmp_path_factory.mktemp("models")
    place = folder / "gone.onnx"
    with serve_with_users(folder, models={"yolo11": place}) as served:
        yield served, place


DETECTION = [
    {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": "yolo11"}}
]


def test_a_service_shows_the_models_whose_file_is_missing(with_models: tuple[Served, Path]) -> None:
    served, place = with_models
    assert shown(served)["ai-detection"]["models"] == [{"name": "yolo11", "status": "missing"}]
    assert shown(served)["filter"]["models"] is None
    place.write_bytes(b"there")
    try:
        assert shown(served)["ai-detection"]["models"] == [{"name": "yolo11", "status": "present"}]
    finally:
        place.unlink()


def test_a_pipeline_of_a_model_whose_file_is_missing_is_refused(with_models: tuple[Served, Path]) -> None:
    served, place = with_models
    made = served["supervisor"].post("/pipelines", json={"name": "P", "definition": {"name": "P", "steps": DETECTION}})
    assert made.status_code == 201, made.text
    form = {"pipeline_id": made.json()["id"]}
    files = {"input_files": ("a.jpg", jpeg(), "image/jpeg")}
    answer = served["inspector"].post("/executions", data=form, files=files)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "execution-model-missing")
    assert place.name not in json.dumps(answer.json())
