"""Every route that changes something: of another revision it does nothing, sent again it is done once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from inspection.anomaly import TrainingReport
from models.ids import new_id
from tests.support.detector_files import with_description
from tests.support.executing import executing_server
from tests.support.mutations import REPEATED_OTHERWISE, REQUESTS, Mutations, Route

pytestmark = pytest.mark.slow
Send = Callable[..., httpx.Response]
CHANGED = sorted(route for route in REQUESTS if route[0] == "PUT")
# Routes whose answer to the repeated request is another one, with the reason.
ANOTHER_ANSWER = {
    "/auth/logout": "the token has ended with the session",
    "/executions": "the execution as it is by then; its id is the same",
}
POSTED = sorted(
    route for route in REQUESTS if route[0] == "POST" and route[1] not in REPEATED_OTHERWISE.keys() | ANOTHER_ANSWER
)


@pytest.fixture(scope="module")
def mutations(tmp_path_factory: pytest.TempPathFactory, report: TrainingReport) -> Iterator[Mutations]:
    folder = tmp_path_factory.mktemp("sent-again")
    with executing_server(folder / "data", models={"yolo11": with_description(folder)}) as running:
        yield Mutations(running, report.path)


def is_of(route: Route, request: httpx.Request) -> bool:
    pattern = "/api/v1" + re.sub(r"\{[^}]+\}", "[^/]+", route[1])
    return request.method == route[0] and re.fullmatch(pattern, request.url.path) is not None


@pytest.mark.parametrize("route", CHANGED, ids=" ".join)
def test_a_change_of_another_revision_is_412(
    mutations: Mutations, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    send: Send = httpx.Client.send

    def of_another_revision(client: httpx.Client, request: httpx.Request, **more: object) -> httpx.Response:
        if is_of(route, request):
            request.headers["If-Match"] = '"of nobody"'
        return send(client, request, **more)

    monkeypatch.setattr(httpx.Client, "send", of_another_revision)
    answer = REQUESTS[route](mutations).answer
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (412, "revision-mismatch")


@pytest.mark.parametrize("route", POSTED, ids=" ".join)
def test_a_request_that_is_sent_again_has_one_effect(
    mutations: Mutations, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    send: Send = httpx.Client.send
    answers: list[httpx.Response] = []

    def twice(client: httpx.Client, request: httpx.Request, **more: object) -> httpx.Response:
        if is_of(route, request):
            request.headers["Idempotency-Key"] = new_id()
            content = request.read()
            again = httpx.Request(request.method, request.url, headers=request.headers, content=content)
            answers[:] = [send(client, request, **more), send(client, again, **more)]
            return answers[0]
        return send(client, request, **more)

    monkeypatch.setattr(httpx.Client, "send", twice)
    assert REQUESTS[route](mutations).answer.is_success
    first, second = answers
    if second.status_code == 409:
        assert second.json()["type"].endswith("/answer-shown-once")
        return
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
