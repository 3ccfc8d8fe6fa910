"""The route table finds what trying one route after the other would find."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from server.http.route_table import RouteTable

PARTS = st.sampled_from(["a", "b", "{x}", "{y}", "c"])
PATHS = st.lists(PARTS, min_size=1, max_size=3, unique=True)
GIVEN = st.sampled_from(["a", "b", "c", "d", ""])


async def answer(request: Request) -> Response:
    return Response()


def scope(path: str, method: str = "GET") -> dict[str, object]:
    return {"type": "http", "path": path, "method": method, "headers": [], "root_path": ""}


def most_fixed(routes: Sequence[Route], path: str) -> list[Route]:
    """Return the routes that have the path, whatever the method, by the pattern with the earliest fixed segments."""

    def shape(route: Route) -> list[bool]:
        return [part.startswith("{") for part in route.path_format.split("/")]

    found = [route for route in routes if route.matches(scope(path, "GET"))[0] is not Match.NONE]
    best = min((shape(route) for route in found), default=[])
    return [route for route in found if shape(route) == best]


@given(
    st.lists(
        st.tuples(st.lists(PARTS, min_size=1, max_size=3, unique=True), st.sampled_from(["GET", "PUT"])), max_size=8
    ),
    st.lists(GIVEN, min_size=1, max_size=4),
    st.sampled_from(["GET", "PUT", "DELETE"]),
)
def test_a_path_fits_as_well_as_the_best_of_all_routes(
    drawn: list[tuple[list[str], str]], given_parts: list[str], method: str
) -> None:
    routes = [Route("/" + "/".join(parts), answer, methods=[allowed]) for parts, allowed in drawn]
    path = "/" + "/".join(given_parts)
    match, child_scope = RouteTable(routes).matches(scope(path, method))
    fitting = most_fixed(routes, path)
    assert match is (Match.FULL if fitting else Match.NONE)
    if fitting:
        # It answers, or says 405 where none of the pattern's routes has the method.
        chosen = child_scope["imageflow.route"]
        assert chosen in fitting
        best = max((route.matches(scope(path, method))[0] for route in fitting), key=lambda fit: fit.value)
        assert chosen.matches(scope(path, method))[0] is best


def test_a_fixed_segment_goes_before_a_parameter() -> None:
    routes = [Route("/users/{user_id}", answer), Route("/users/me", answer)]
    _, child_scope = RouteTable(routes).matches(scope("/users/me"))
    assert child_scope["imageflow.route"] is routes[1]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_only_requests_are_looked_up(kind: str) -> None:
    match, _ = RouteTable([Route("/", answer)]).matches({"type": kind, "path": "/"})
    assert match is Match.NONE
