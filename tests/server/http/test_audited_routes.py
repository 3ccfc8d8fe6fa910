"""Every route that changes something leaves an audit entry: who, what, before, after, when, from where."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.routing import Route as AppRoute

from inspection.anomaly import TrainingReport
from models.audit import AuditEntry, verify_audit
from models.clock import utc_now
from server.audit import SERVER_DEVICE
from tests.support.app_routes import app_routes
from tests.support.detector_files import with_description
from tests.support.executing import executing_server
from tests.support.mutations import REQUESTS, Mutations, Route

pytestmark = pytest.mark.slow
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
CHANGES_NOTHING: dict[Route, str] = {
    ("POST", "/anomaly"): "scores a row; nothing of it is kept",
    ("POST", "/anomaly/batch"): "scores rows; nothing of them is kept",
    ("POST", "/anomaly/models/{model_id}/drift"): "measures rows against those of the training",
    ("POST", "/inspection/pipeline-results/convert"): "judges an output; nothing is recorded",
    ("POST", "/inspection/sync/drift"): "compares digests of days",
    ("POST", "/inspection/sync/upload"): "takes bytes under their own digest; the record that names them is audited",
}
NO_VALUES: dict[Route, str] = {
    ("POST", "/auth/login"): "begins a sign-in; the entry names it",
    ("POST", "/auth/refresh"): "continues a sign-in; tokens are secret",
    ("POST", "/tauri/auth/login"): "begins a sign-in; the entry names it",
    ("POST", "/tauri/auth/device"): "a station signs in; tokens are secret",
    ("PUT", "/users/me/password"): "a password is in no trail",
    ("PUT", "/users/{user_id}/password"): "a password is in no trail",
    ("POST", "/inspection/sync/compare"): "names what is offered; the values come when it is taken",
}


@pytest.fixture(scope="module")
def mutations(tmp_path_factory: pytest.TempPathFactory, report: TrainingReport) -> Iterator[Mutations]:
    folder = tmp_path_factory.mktemp("audited")
    with executing_server(folder / "data", models={"yolo11": with_description(folder)}) as running:
        yield Mutations(running, report.path)


def test_every_route_that_may_change_something_is_listed(tmp_path: Path) -> None:
    routes = [route for route in app_routes(tmp_path) if isinstance(route, AppRoute)]
    found = {
        (method, route.path.removeprefix("/api/v1"))
        for route in routes
        for method in (route.methods or set()) & CHANGING
    }
    assert found == REQUESTS.keys() | CHANGES_NOTHING.keys()
    assert not REQUESTS.keys() & CHANGES_NOTHING.keys()


@pytest.mark.parametrize("route", sorted(REQUESTS), ids=" ".join)
def test_a_change_over_rest_leaves_its_audit_entry(mutations: Mutations, route: Route) -> None:
    made = REQUESTS[route](mutations)
    asked = made.answer.request
    assert (asked.method, made.answer.is_success) == (route[0], True), made.answer.text
    assert pattern_of(route).fullmatch(asked.url.path)
    entry = newest_of(mutations, made.actor)
    assert entry.detail["address"] == "127.0.0.1"
    assert utc_now() - entry.created_at < datetime.timedelta(minutes=1)
    assert entry.action
    assert entry.subject_id
    changes = entry.detail.get("changes", {})
    assert bool(changes) is (route not in NO_VALUES)
    assert all(change["old"] != change["new"] for change in changes.values())


def pattern_of(route: Route) -> re.Pattern[str]:
    return re.compile("/api/v1" + re.sub(r"\{[^}]+\}", "[^/]+", route[1]))


def newest_of(mutations: Mutations, actor: str) -> AuditEntry:
    """Return the newest entry of the server's chain, which must be of this actor."""
    with mutations.served.context.database.read() as session:
        newest = select(func.max(AuditEntry.sequence)).where(AuditEntry.device_id == SERVER_DEVICE)
        query = select(AuditEntry).where(
            AuditEntry.device_id == SERVER_DEVICE, AuditEntry.sequence == newest.scalar_subquery()
        )
        entry = session.scalars(query).one()
    assert entry.actor == actor, entry.action
    return entry


def test_the_chain_of_all_these_entries_holds(mutations: Mutations) -> None:
    with mutations.served.context.database.read() as session:
        assert verify_audit(session) == []
