"""How every list, PUT and POST of the API document keeps the rule for its kind."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant

from models.ids import new_id
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.http.routes import CheckedRoute
from tests.support.mutations import REPEATED_OTHERWISE
from tests.support.serving import Served, make_target

Operation = dict[str, Any]
PAGING = {"page", "page_size", "search", "sort"}
# Lists that are whole in one answer, with the reason.
WHOLE: dict[str, str] = {
    "/devices/{device_id}/stores": "the stores of one station: its own, and copies of it",
    "/grpc-services": "the four services of the product",
    "/inspection/sync/offers": "the sync protocol: what waits for the station that asks",
}
# Lists that have no filter beside their search, with the reason.
UNFILTERED: dict[str, str] = {
    "/components": "the dozen components of the product",
    "/inspection/targets": "a master list; its code and name are what it is searched by",
    "/inspection/targets/{target_id}/items": "those of one target",
    "/pipelines": "a master list",
}


def calls(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from calls(one)


def test_no_dependency_of_a_route_takes_a_thread(tmp_path: Path) -> None:
    app = create_app(ServerSettings(data_dir=tmp_path))
    app.state.context.close()
    routes = [route for route in app.routes if isinstance(route, CheckedRoute)]
    found = {call for route in routes for call in calls(route.dependant)}
    on_the_loop = {
        call
        for call in found
        if iscoroutinefunction(call) or isasyncgenfunction(call) or iscoroutinefunction(type(call).__call__)
    }
    assert len(found) > 10
    assert found == on_the_loop


def operations(served: Served, method: str) -> Iterator[tuple[str, Operation]]:
    document = served["anonymous"].get(f"{served.url}/openapi.json").json()
    for path, methods in document["paths"].items():
        if method in methods and path.startswith("/api/v1"):
            yield path.removeprefix("/api/v1"), methods[method]


def names(operation: Operation) -> set[str]:
    return {one["name"] for one in operation.get("parameters", [])}


def lists(served: Served) -> dict[str, Operation]:
    """Return the operations that answer with several records: a page of them, or an array."""
    found = {}
    for path, operation in operations(served, "get"):
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        if "/Page_" in schema.get("$ref", "") or schema.get("type") == "array":
            found[path] = operation
    return found


def test_every_list_has_pages_search_order(served: Served) -> None:
    found = lists(served)
    assert {path for path, operation in found.items() if not names(operation) >= PAGING} == set(WHOLE)


def test_every_long_list_has_a_filter(served: Served) -> None:
    further = PAGING | {"Accept-Language", "If-None-Match"}
    without = {
        path
        for path, operation in lists(served).items()
        if path not in WHOLE and not {one["name"] for one in operation["parameters"] if one["in"] == "query"} - further
    }
    assert without == set(UNFILTERED)


def test_every_list_takes_the_orders_that_it_names(served: Served) -> None:
    for path, operation in lists(served).items():
        if path in WHOLE:
            continue
        (sort,) = [one for one in operation["parameters"] if one["name"] == "sort"]
        orders = next(part["enum"] for part in (sort["schema"], *sort["schema"].get("anyOf", [])) if "enum" in part)
        address = path.replace("{target_id}", make_target(served)["id"])
        for order in orders:
            assert served["admin"].get(address, params={"sort": order}).status_code == 200, (path, order)
        assert served["admin"].get(address, params={"sort": "password"}).status_code == 400, path


def test_every_put_takes_the_revision_that_a_client_has_read(served: Served) -> None:
    without = {
        path
        for path, operation in operations(served, "put")
        if "If-Match" not in names(operation) or "412" not in operation["responses"]
    }
    assert without == set()


def test_every_post_can_be_sent_again(served: Served) -> None:
    without = {path for path, operation in operations(served, "post") if "Idempotency-Key" not in names(operation)}
    assert without == set(REPEATED_OTHERWISE)


def test_every_read_of_one_record_has_an_etag(served: Served) -> None:
    several = lists(served)
    made_anew = {"/inspection/statistics", "/grpc-services/health", "/inspection/models/releases/{release_id}"}
    made_anew |= {"/inspection/statistics/breakdown"}
    made_anew |= {f"/inspection/quality/{name}" for name in ("realtime", "trends", "pareto")}
    reads = {
        path
        for path, operation in operations(served, "get")
        if path not in several
        and "application/json" in operation["responses"]["200"].get("content", {})
        and "If-None-Match" not in names(operation)
    }
    streams = {"/inspection/sync/changes", "/inspection/sync/download"}
    files = {"/files/{file_id}", "/files/{file_id}/download"}
    assert reads - made_anew - streams - files == set()


@pytest.mark.parametrize("descending", [False, True])
def test_a_list_is_in_the_order_that_is_asked_for(served: Served, descending: bool) -> None:
    mark = new_id()
    for name in ("B", "A", "C"):
        make_target(served, name=f"{name} {mark}")
    query = {"search": mark, "sort": "-name" if descending else "name", "page_size": 2}
    first = served["inspector"].get("/inspection/targets", params=query).json()
    second = served["inspector"].get("/inspection/targets", params={**query, "page": 2}).json()
    listed = [item["name"][0] for item in (*first["items"], *second["items"])]
    assert listed == (["C", "B", "A"] if descending else ["A", "B", "C"])


@pytest.mark.parametrize("size", [0, 501])
def test_a_page_has_a_largest_size(served: Served, size: int) -> None:
    answer = served["admin"].get("/users", params={"page_size": size})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "page_size")
