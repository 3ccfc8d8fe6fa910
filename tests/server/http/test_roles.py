"""Who may do what: every route that changes something, for every kind of caller."""

from __future__ import annotations

import pytest

from tests.support.serving import Served

ENGINEER = {"supervisor", "admin"}
INSPECTING = {"inspector", "supervisor", "admin", "integrator"}
CALLERS = ("inspector", "supervisor", "admin", "integrator", "device", "anonymous")
ID = "0197c000-0000-7000-8000-00000000a0a1"
"""Of nothing; the same in every process, as the names of the tests are."""
NAMED = {"name": "n"}
AT = "2026-03-01T06:00:00Z"

# Bodies are valid as far as the schema goes; the records they name do not exist, so that nothing is changed.
ALLOWED: dict[tuple[str, str], tuple[set[str], object]] = {
    ("POST", "/users"): ({"admin"}, {"username": "a b", "role": "inspector", "password": "x"}),
    ("PUT", f"/users/{ID}"): ({"admin"}, {}),
    ("DELETE", f"/users/{ID}"): ({"admin"}, None),
    ("PUT", f"/users/{ID}/password"): ({"admin"}, {"password": "long enough"}),
    ("POST", "/api-keys"): ({"admin"}, {"name": "", "role": "admin"}),
    ("DELETE", f"/api-keys/{ID}"): ({"admin"}, None),
    ("DELETE", f"/enrolment-codes/{ID}"): ({"admin"}, None),
    ("PUT", "/tauri/config"): ({"admin"}, {"device_id": ID, "settings": {}}),
    ("PUT", f"/devices/{ID}"): ({"admin"}, {}),
    ("PUT", f"/devices/{ID}/store"): ({"admin"}, {"store_id": ID}),
    ("POST", "/enrolment-codes"): ({"admin"}, {"device_name": ""}),
    ("POST", "/inspection/targets"): (ENGINEER, {"code": "", "name": ""}),
    ("PUT", f"/inspection/targets/{ID}"): (ENGINEER, NAMED),
    ("DELETE", f"/inspection/targets/{ID}"): (ENGINEER, None),
    ("POST", f"/inspection/targets/{ID}/items"): (ENGINEER, NAMED),
    ("PUT", f"/inspection/items/{ID}"): (ENGINEER, NAMED),
    ("DELETE", f"/inspection/items/{ID}"): (ENGINEER, None),
    ("PUT", f"/inspection/items/{ID}/pipeline"): (ENGINEER, {}),
    ("POST", "/pipelines"): (ENGINEER, {"name": "", "definition": {}}),
    ("PUT", f"/pipelines/{ID}"): (ENGINEER, NAMED),
    ("DELETE", f"/pipelines/{ID}"): (ENGINEER, None),
    ("POST", "/inspection/defect-classes"): (ENGINEER, {"code": "", "name_en": "", "name_ja": ""}),
    ("PUT", f"/inspection/defect-classes/{ID}"): (ENGINEER, {"name_en": "n"}),
    ("DELETE", f"/inspection/defect-classes/{ID}"): (ENGINEER, None),
    ("POST", "/inspection/sessions"): (INSPECTING, {"target_id": ID}),
    ("PUT", f"/inspection/sessions/{ID}"): (INSPECTING, {}),
    ("POST", f"/inspection/sessions/{ID}/complete"): (INSPECTING, None),
    ("POST", f"/inspection/sessions/{ID}/human-verification"): (INSPECTING - {"integrator"}, {"verdict": "OK"}),
    ("POST", f"/inspection/sessions/{ID}/images"): (INSPECTING, {"file_id": ID}),
    ("POST", f"/inspection/sessions/{ID}/ai-inspection"): (INSPECTING, {"item_id": ID, "image_file_path": ID}),
    ("POST", "/inspection/pipeline-results/convert"): (INSPECTING, {"execution_id": ID, "item_id": ID}),
    ("POST", "/inspection/models/releases"): (ENGINEER, {"item_id": ID, "sha256": "0" * 64}),
    ("POST", f"/inspection/models/releases/{ID}/stage"): (ENGINEER, {"stations": [ID]}),
    ("POST", f"/inspection/models/releases/{ID}/release"): (ENGINEER, None),
    ("POST", f"/inspection/models/releases/{ID}/rollback"): (ENGINEER, None),
    ("POST", f"/inspection/quality/alerts/{ID}/acknowledge"): (ENGINEER, None),
    ("POST", "/anomaly/models"): (ENGINEER, None),
    ("DELETE", f"/anomaly/models/{ID}"): (ENGINEER, None),
    ("POST", f"/anomaly/models/{ID}/activate"): (ENGINEER, None),
    ("PUT", f"/anomaly/models/{ID}/threshold"): (ENGINEER, {"percent": 99}),
    ("POST", f"/anomaly/models/{ID}/learn"): (ENGINEER | {"integrator"}, {"rows": [{"at": AT, "values": [1]}]}),
    ("DELETE", f"/anomaly/models/{ID}/learn"): (ENGINEER, None),
    ("POST", f"/anomaly/models/{ID}/drift"): (INSPECTING, {"rows": [[1]]}),
    ("POST", f"/anomaly/streams/{ID}"): (INSPECTING, {"rows": [{"at": AT, "values": [1]}], "model": ID}),
    ("DELETE", f"/anomaly/streams/{ID}"): (ENGINEER, None),
    ("PUT", f"/anomaly/alerts/{ID}"): (ENGINEER, {"after_rows": 0}),
    ("POST", "/inspection/quality/alert-rules"): (ENGINEER, {"name": ""}),
    ("PUT", f"/inspection/quality/alert-rules/{ID}"): (ENGINEER, {}),
    ("POST", f"/inspection/quality/alert-rules/{ID}/silence"): (ENGINEER, {"until": None}),
    ("DELETE", f"/inspection/quality/alert-rules/{ID}"): (ENGINEER, None),
    ("POST", "/files"): (INSPECTING, None),
    ("DELETE", f"/files/{ID}"): (INSPECTING, None),
    ("POST", "/executions"): (INSPECTING, None),
    ("POST", f"/executions/{ID}/cancel"): (INSPECTING, None),
}
# Sign-in itself, what everybody may do about oneself, and sync, whose own tests say who may.
OPEN_TO_ALL = {
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("PUT", "/users/me/password"),
    ("POST", "/tauri/devices/register"),
    ("POST", "/tauri/auth/login"),
    ("POST", "/tauri/auth/device"),
    # On this computer, and for whoever is signed in; tests/server/anomaly has the others.
    ("POST", "/anomaly"),
    ("POST", "/anomaly/batch"),
}
READABLE = (
    "/inspection/targets",
    "/pipelines",
    "/inspection/defect-classes",
    "/inspection/sessions",
    "/inspection/statistics",
    "/inspection/quality/realtime",
    "/inspection/quality/alerts",
)
ADMINISTRATIVE = ("/users", "/api-keys", "/devices")


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), sorted(ALLOWED))
def test_a_change_is_refused_to_whoever_may_not_make_it(served: Served, method: str, path: str, caller: str) -> None:
    roles, body = ALLOWED[method, path]
    status = served[caller].request(method, path, json=body).status_code
    if caller == "anonymous":
        assert status == 401
    elif caller in roles:
        # Let in; the problem is then of the request itself.
        assert status in {400, 404}
    else:
        assert status == 403


def test_the_table_above_names_every_route_that_changes_something(served: Served) -> None:
    document = served["anonymous"].get(f"{served.url}/openapi.json").json()
    routes = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in document["paths"].items()
        for method in methods
        if method in {"post", "put", "patch", "delete"} and "/sync/" not in path
    }
    listed = {(method, "/".join("{}" if part == ID else part for part in path.split("/"))) for method, path in ALLOWED}
    generic = {(m, "/".join("{}" if part.startswith("{") else part for part in p.split("/"))) for m, p in routes}
    assert generic == listed | OPEN_TO_ALL


def test_the_document_names_the_roles_of_the_table_above(served: Served) -> None:
    document = served["anonymous"].get(f"{served.url}/openapi.json").json()
    documented = {
        (method.upper(), "/".join("{}" if part.startswith("{") else part for part in path.split("/"))): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    for (method, path), (roles, _) in ALLOWED.items():
        generic = "/".join("{}" if part == ID else part for part in path.split("/"))
        assert set(documented[method, f"/api/v1{generic}"]["x-roles"]) == roles, (method, path)


@pytest.mark.parametrize("path", READABLE + ADMINISTRATIVE)
@pytest.mark.parametrize("caller", CALLERS)
def test_reading_needs_the_role_that_the_path_asks_for(served: Served, path: str, caller: str) -> None:
    status = served[caller].get(path).status_code
    if caller == "anonymous":
        assert status == 401
    elif path in ADMINISTRATIVE and caller != "admin":
        assert status == 403
    else:
        assert status == 200
