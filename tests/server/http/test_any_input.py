"""Whatever a client sends, the answer is an answer: never a fault of the server."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.ids import new_id
from tests.support.serving import Served, make_target

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "OK", "admin", "2026-01-01", "1" * 400, "\0", "\ud800", "../x", "0" * 64, new_id()])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def bodies(document: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Give objects with the right names and any values, and now and then anything at all."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    names = list(schema.get("properties", {}))
    required = dict.fromkeys(schema.get("required", []), values)
    optional = {name: values for name in names if name not in required}
    return st.fixed_dictionaries(required, optional=optional) | values


@cache
def known_to(served: Served) -> tuple[dict[str, Any], str]:
    """Return the API document and the id of a target."""
    return served["anonymous"].get(f"{served.url}/openapi.json").json(), make_target(served)["id"]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_or_query_is_a_fault_of_the_server(served: Served, data: st.DataObject) -> None:
    document, known = known_to(served)
    places = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1") and not path.startswith(("/api/v1/auth/", "/api/v1/users/me"))
    ]
    method, path, operation = data.draw(st.sampled_from(places), label="route")
    parameters = operation.get("parameters", [])
    for one in parameters:
        if one["in"] == "path":
            text = data.draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10))
            path = path.replace(
                f"{{{one['name']}}}", quote(data.draw(st.sampled_from([text, known, new_id()])), safe="")
            )
    query = {
        one["name"]: str(data.draw(values, label=one["name"])).encode(errors="replace").decode()
        for one in parameters
        if one["in"] == "query" and data.draw(st.booleans())
    }
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = None
    if content is not None:
        body = json.dumps(data.draw(bodies(document, content["schema"]), label="body")).encode()
    url = f"{served.url}{path}?{urlencode(query)}"
    caller = data.draw(st.sampled_from(["admin", "device"]))
    answer = served[caller].request(
        method, url, content=body, headers={"Content-Type": "application/json"} if body is not None else {}
    )
    assert answer.status_code < 500, (method, path, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
