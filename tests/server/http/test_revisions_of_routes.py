"""Every PUT and DELETE keeps to the ETag that a GET of the same path gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from inspection.anomaly import TrainingReport
from tests.support.detector_files import with_description
from tests.support.executing import executing_server
from tests.support.mutations import REQUESTS, Made, Mutations, Route

pytestmark = pytest.mark.slow
# What has no GET of its own at the path, with the reason.
READ_ELSEWHERE: dict[Route, str] = {
    ("PUT", "/users/me/password"): "the revision is that of /users/me",
    ("PUT", "/users/{user_id}/password"): "the revision is that of /users/{user_id}",
    ("PUT", "/anomaly/alerts/{sensor}"): "nothing is there before the first PUT",
}
ROUTES = sorted(route for route in REQUESTS if route[0] in {"PUT", "DELETE"} and route not in READ_ELSEWHERE)


@dataclass(eq=False)
class Conditional(Mutations):
    """Reads what it is about to change, and sends an ETag along.

    Attributes:
        tag: sent in place of the one that was read.
        read: ETags that were read.
    """

    tag: str = ""
    read: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, role: str = "supervisor", **more: Any) -> Made:
        if method not in {"PUT", "DELETE"}:
            return super().ask(method, path, body, role, **more)
        device = {"device_id": body["device_id"]} if isinstance(body, dict) and "device_id" in body else {}
        found = self.served[role].get(path, params=device)
        assert found.status_code == 200, found.text
        self.read.append(found.headers["etag"])
        return super().ask(method, path, body, role, headers={"If-Match": self.tag or found.headers["etag"]}, **more)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory, report: TrainingReport) -> Iterator[Conditional]:
    folder = tmp_path_factory.mktemp("conditional")
    with executing_server(folder / "data", models={"yolo11": with_description(folder)}) as running:
        yield Conditional(running, report.path)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_change_is_made_by_the_tag_that_was_read(conditional: Conditional, route: Route) -> None:
    conditional.tag = ""
    answer = REQUESTS[route](conditional).answer
    assert (answer.request.method, answer.is_success) == (route[0], True), answer.text


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_change_by_another_tag_is_412_with_the_one_that_was_read(conditional: Conditional, route: Route) -> None:
    conditional.tag = '"another"'
    answer = REQUESTS[route](conditional).answer
    assert (answer.request.method, answer.status_code) == (route[0], 412), answer.text
    assert answer.headers["etag"] == conditional.read[-1]
