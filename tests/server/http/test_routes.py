"""A route is found before it is complete, and completed once."""

import pytest
from fastapi.exceptions import FastAPIError
from starlette.routing import Match

from server.http.routes import CheckedRoute


def greet(name: str) -> str:
    return f"Hello {name}"


def route() -> CheckedRoute:
    return CheckedRoute("/greetings/{name}", greet, methods=["GET"])


def scope(method: str) -> dict[str, object]:
    return {"type": "http", "path": "/greetings/Ada", "method": method, "headers": [], "root_path": ""}


def test_finding_a_route_leaves_it_incomplete() -> None:
    found = route()
    match, child_scope = found.matches(scope("GET"))
    assert match is Match.FULL
    assert child_scope["path_params"] == {"name": "Ada"}
    assert "dependant" not in vars(found)


def test_another_method_fits_an_incomplete_route_in_part() -> None:
    assert route().matches(scope("PUT"))[0] is Match.PARTIAL


def test_what_is_asked_of_a_route_completes_it() -> None:
    asked = route()
    assert [field.name for field in asked.dependant.path_params] == ["name"]
    assert asked.dependant is asked.dependant


def test_what_a_route_does_not_have_is_missing() -> None:
    assert not hasattr(route(), "colour")


class Foreign:
    """No type that an answer can have."""


def test_a_wrong_declaration_is_an_error_each_time() -> None:
    def wrong() -> Foreign:
        return Foreign()

    declared = CheckedRoute("/wrong", wrong, methods=["GET"])
    for _ in range(2):
        with pytest.raises(FastAPIError, match="Invalid args for response field"):
            _ = declared.dependant
