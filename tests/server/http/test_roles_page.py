"""The matrix of ``docs/roles.md`` is what the server does, for every route and every kind of caller."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from starlette.routing import WebSocketRoute
from websockets.exceptions import InvalidStatus

from models.ids import new_id
from tests.support.app_routes import app_routes
from tests.support.live_clients import live
from tests.support.roles_page import CALLERS, PAGE, rows_of_page, table_of, websockets_of_page
from tests.support.serving import Served

REFUSED = {"role-not-allowed", "device-needed"}
ENDS_THE_CALLER = {"/auth/logout"}
OPEN_ON_LOOPBACK = {"/anomaly", "/anomaly/batch"}


def test_the_page_has_the_table_of_the_api_document(served: Served) -> None:
    document = served["anonymous"].get(f"{served.url}/openapi.json").json()
    assert table_of(document) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("caller", CALLERS)
def test_who_is_not_in_the_matrix_is_refused(served: Served, caller: str) -> None:
    for path, method, callers in rows_of_page(PAGE.read_text(encoding="utf-8")):
        if path in ENDS_THE_CALLER and caller in callers:
            continue
        if path in OPEN_ON_LOOPBACK and caller == "anonymous":
            continue  # these clients are on the server's own computer
        answer = ask(served, caller, method, path)
        # Who may ask is found before anything else: without a body nothing happens.
        if caller in callers:
            assert answer.status_code != 401 or not served[of(caller)].headers.get("Authorization"), (method, path)
            # The clients here are signed in at no station, as the page says of sync.
            at_station = path.startswith("/inspection/sync/") and caller != "station"
            assert at_station or code_of(answer) not in REFUSED, (method, path)
        else:
            assert answer.status_code == (401 if caller == "anonymous" else 403), (method, path)
            assert caller == "anonymous" or code_of(answer) in REFUSED, (method, path)


def test_the_page_has_every_websocket_of_the_server(tmp_path: Path) -> None:
    routes = {route.path for route in app_routes(tmp_path) if isinstance(route, WebSocketRoute)} - {"/{path:path}"}
    page = websockets_of_page(PAGE.read_text(encoding="utf-8"))
    assert {route.removeprefix("/api/v1") for route in routes} == page.keys()


@pytest.mark.parametrize("caller", CALLERS)
def test_a_websocket_opens_for_whom_the_page_names(served: Served, caller: str) -> None:
    for path, callers in websockets_of_page(PAGE.read_text(encoding="utf-8")).items():
        opened = handshake(served, f"/api/v1{path}", caller)
        if caller in callers:
            # There is no such execution, which only those learn who may ask.
            assert opened == (404 if "{" in path else 101), path
        else:
            assert opened == (401 if caller == "anonymous" else 403), path


def handshake(served: Served, path: str, caller: str) -> int:
    """Return the status that answers the handshake of a WebSocket."""
    named = re.sub(r"\{[^}]+\}", new_id(), path)
    try:
        with live(served, named, of(caller)):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def of(caller: str) -> str:
    return "device" if caller == "station" else caller


def ask(served: Served, caller: str, method: str, path: str) -> httpx.Response:
    parts = [new_id() if part.startswith("{") else part for part in path.split("/")]
    prefix = "" if path in {"/health", "/metrics"} else "/api/v1"
    with served[of(caller)].stream(method, f"{served.url}{prefix}{'/'.join(parts)}") as answer:
        answer.read()
        return answer


def code_of(answer: httpx.Response) -> str:
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    return str(answer.json()["type"]).rpartition("/")[2]
