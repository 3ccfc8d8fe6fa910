"""What REST shows of the gRPC services."""

from __future__ import annotations

import pytest

from tests.support.serving import Served

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
