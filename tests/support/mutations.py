"""A valid request to every route of the server that changes something."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.clock import HybridLogicalClock, utc_now
from models.ids import new_id
from models.pipelines import ModelFile
from models.states import ExecutionStatus, Severity
from models.storage import sha256_of
from models.targets import InspectionItem
from server.alerts.raising import AlertReason, raise_alert
from tests.support.executing import Executing
from tests.support.images import png
from tests.support.live_clients import add_execution
from tests.support.sensor_models import rows, upload, vector_model
from tests.support.serving import (
    PASSWORD,
    Served,
    definition,
    device_token,
    enrol,
    make_item,
    make_pipeline,
    make_target,
)

Route = tuple[str, str]
AT = "2026-03-01T06:00:00.000Z"
BEGAN = datetime.datetime(2026, 3, 1, 6, tzinfo=datetime.UTC)
OTHER_PASSWORD = "another long password"


@dataclass(frozen=True)
class Made:
    """What a request did.

    Attributes:
        answer: of the server.
        actor: who is to be named.
    """

    answer: httpx.Response
    actor: str


@dataclass(eq=False)
class Mutations:
    """Asks the routes of a server with a detector ``yolo11`` for changes.

    Args:
        executing: the server.
        bundle: file of an anomaly model.
    """

    executing: Executing
    bundle: Path

    @property
    def served(self) -> Served:
        return self.executing.served

    def ask(self, method: str, path: str, body: Any = None, role: str = "supervisor", **more: Any) -> Made:
        return Made(self.served[role].request(method, path, json=body, **more), role)

    def user(self) -> dict[str, Any]:
        body = {"username": f"u-{new_id()}", "role": "inspector", "password": PASSWORD}
        return dict(self.served["admin"].post("/users", json=body).json())

    def of_user(self, method: str, path: str, body: Any = None) -> Made:
        """Ask as somebody who has just signed in."""
        name = self.user()["username"]
        token = self.served.sign_in(name)["access_token"]
        with self.served.client(Authorization=f"Bearer {token}") as client:
            return Made(client.request(method, path, json=body), name)

    def of_station(self, path: str, body: Any) -> Made:
        """Ask as a station that has just been enrolled."""
        enrolled = enrol(self.served)
        token = device_token(self.served, enrolled)
        with self.served.client(Authorization=f"Bearer {token}") as client:
            return Made(client.post(path, json=body), f"device:{enrolled['device_id']}")

    def anonymous(self, path: str, body: Any, actor: str) -> Made:
        return Made(self.served["anonymous"].post(path, json=body), actor)

    def made(self, path: str, body: Any, role: str = "supervisor") -> str:
        answer = self.served[role].post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def key(self) -> str:
        return self.made("/api-keys", {"name": "MES", "role": "integrator"}, "admin")

    def code(self) -> str:
        return self.made("/enrolment-codes", {"device_name": "Line 1"}, "admin")

    def defect_class(self) -> str:
        body = {"code": f"c-{new_id()}", "name_en": "Dent", "name_ja": "打痕"}
        return self.made("/inspection/defect-classes", body)

    def rule(self) -> str:
        return self.made("/inspection/quality/alert-rules", RULE)

    def part(self) -> str:
        return self.made("/inspection/sessions", {"target_id": make_target(self.served)["id"]})

    def file(self) -> str:
        return str(self.upload().answer.json()["id"])

    def upload(self) -> Made:
        sent = {"file": ("part.png", png(5, 32, 32))}
        return Made(self.served["supervisor"].post("/files", files=sent), "supervisor")

    def decided_part(self) -> str:
        part = self.part()
        body = {"verdict": "OK"}
        assert self.served["supervisor"].post(f"/inspection/sessions/{part}/human-verification", json=body).is_success
        return part

    def attach(self) -> Made:
        return self.ask("POST", f"/inspection/sessions/{self.part()}/images", {"file_id": self.file()})

    def inspect(self) -> Made:
        step = {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}}
        pipeline = self.executing.pipeline({**step, "parameters": {"model": "yolo11"}})
        item = make_item(self.served, pipeline_id=pipeline)
        session = self.made("/inspection/sessions", {"target_id": item["target_id"]})
        body = {"session_id": session, "item_id": item["id"], "image_file_path": self.file()}
        return self.ask("POST", f"/inspection/sessions/{session}/ai-inspection", body)

    def execute(self) -> Made:
        answer = self.executing.post(self.executing.pipeline(), ("part.png", png(5, 32, 32)), role="supervisor")
        return Made(answer, "supervisor")

    def cancel(self) -> Made:
        taken = {"lease_until": utc_now().replace(year=2099), "worker_id": "another"}
        execution = add_execution(self.served.context.database, ExecutionStatus.RUNNING, **taken)
        return self.ask("POST", f"/executions/{execution}/cancel")

    def release(self) -> str:
        return str(self.draft().answer.json()["id"])

    def draft(self) -> Made:
        data = self.bundle.read_bytes()
        sha256 = sha256_of(data)
        self.served.context.objects.put(sha256, data)
        item = make_item(self.served, pipeline_id=make_pipeline(self.served)["id"])
        model = ModelFile(name="first", model_kind="anomaly", sha256=sha256_of(item["id"].encode()), size_bytes=5)
        with self.served.context.database.transaction() as session:
            session.add(model)
            session.flush()
            record = session.get_one(InspectionItem, item["id"])
            record.pipeline_parameters = {"anomaly": {"model": model.id}}
        return self.ask("POST", RELEASES, {"item_id": item["id"], "sha256": sha256})

    def released(self) -> str:
        release = self.release()
        assert self.served["supervisor"].post(f"{RELEASES}/{release}/release").is_success
        return release

    def sensor_model(self, sensor: str = "") -> str:
        return str(upload(self.served["supervisor"], vector_model(), sensor=sensor or new_id()).json()["id"])

    def second_model(self) -> str:
        """Make a model of a sensor that another one scores."""
        sensor = new_id()
        self.sensor_model(sensor)
        return self.sensor_model(sensor)

    def learn(self, model: str) -> Made:
        moments = (BEGAN + datetime.timedelta(minutes=minute) for minute in range(400))
        sent = [{"at": at.isoformat(), "values": row} for at, row in zip(moments, rows(400).tolist(), strict=True)]
        return self.ask("POST", f"/anomaly/models/{model}/learn", {"rows": sent})

    def revert(self) -> Made:
        model = self.sensor_model()
        assert self.learn(model).answer.is_success
        return self.ask("DELETE", f"/anomaly/models/{model}/learn")

    def stream(self) -> Made:
        body = {"rows": [{"at": AT, "values": rows(1)[0].tolist()}], "model": self.sensor_model()}
        return self.ask("POST", f"/anomaly/streams/{new_id()}", body)

    def forget_stream(self) -> Made:
        path = self.stream().answer.request.url.path.removeprefix("/api/v1")
        return self.ask("DELETE", path)

    def acknowledge(self) -> Made:
        with self.served.context.database.transaction() as session:
            details = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}
            reason = AlertReason("quality", Severity.HIGH, "alert-ng-rate", new_id(), details=details)
            alert = raise_alert(session, reason)
            assert alert is not None
        return self.ask("POST", f"/inspection/quality/alerts/{alert.id}/acknowledge")

    def login(self) -> Made:
        return self.anonymous("/auth/login", {"username": "inspector", "password": PASSWORD}, "inspector")

    def refresh(self) -> Made:
        token = self.served.sign_in("inspector")["refresh_token"]
        return self.anonymous("/auth/refresh", {"refresh_token": token}, "inspector")

    def register(self) -> Made:
        code = self.served["admin"].post("/enrolment-codes", json={"device_name": "Line 1"}).json()["code"]
        answer = self.served["anonymous"].post("/tauri/devices/register", json={"code": code})
        return Made(answer, f"device:{answer.json()['device_id']}")

    def station_login(self) -> Made:
        body = {"username": "inspector", "password": PASSWORD, **enrol(self.served)}
        return self.anonymous("/tauri/auth/login", body, "inspector")

    def device_login(self) -> Made:
        enrolled = enrol(self.served)
        return self.anonymous("/tauri/auth/device", enrolled, f"device:{enrolled['device_id']}")

    def choose_store(self) -> Made:
        enrolled, stores = enrol(self.served), [new_id(), new_id()]
        with self.served.client(Authorization=f"Bearer {device_token(self.served, enrolled)}") as client:
            for number, store in enumerate(stores):
                client.post("/inspection/sync/begin", json={"store_id": store, "next": f"1-{number:016x}"})
        return self.ask("PUT", f"/devices/{enrolled['device_id']}/store", {"store_id": stores[1]}, "admin")

    def push(self) -> Made:
        """Push a new target that the supervisor has made at a station."""
        enrolled = enrol(self.served)
        device_id = enrolled["device_id"]
        who = {"username": "supervisor", "password": PASSWORD}
        token = self.served["anonymous"].post("/tauri/auth/login", json={**who, **enrolled}).json()["access_token"]
        with self.served.client(Authorization=f"Bearer {token}") as client:
            change = {
                "change_id": new_id(),
                "entity": "target",
                "entity_id": new_id(),
                "op": "insert",
                "base_rev": None,
                "clock": str(HybridLogicalClock(device_id).now()),
                "user_id": client.get("/users/me").json()["id"],
                "fields": {"code": new_id(), "name": "Plate", "version": "1", "description": "", "created_at": AT},
            }
            batch = {"device_id": device_id, "batch_id": new_id(), "schema_version": 1, "changes": [change]}
            answer = client.post("/inspection/sync/apply-changes", json=batch)
            assert answer.json()["results"][0]["outcome"] == "applied", answer.text
            return Made(answer, "supervisor")

    def offer(self) -> Made:
        """Hold a target that the server does not know."""
        clock = str(HybridLogicalClock("server").now())
        held = {"entity": "target", "entity_id": new_id(), "clock": clock, "foreign_clock": clock, "label": "P204"}
        return self.of_station("/inspection/sync/compare", {"records": [held], "blobs": []})

    def take_offer(self) -> Made:
        assert self.offer().answer.is_success
        return self.ask("POST", "/inspection/sync/offers/take", {}, "admin")


# POST without Idempotency-Key and without an id of the client's in its body, with the reason.
REPEATED_OTHERWISE: dict[str, str] = {
    "/anomaly": "scores, and changes nothing",
    "/anomaly/batch": "scores, and changes nothing",
    "/anomaly/models": "the form has the client's own id",
    "/auth/login": "each sign-in is a session of its own",
    "/auth/refresh": "a refresh token is good once; its second use ends the session",
    "/tauri/auth/login": "each sign-in is a session of its own",
    "/tauri/auth/device": "each token is one of its own",
    "/tauri/devices/register": "a code is good once",
    "/files": "the form has the client's own id",
    "/inspection/sync/apply-changes": "each change has its change_id",
    "/inspection/sync/upload": "a blob is known by its digest",
}
RELEASES = "/inspection/models/releases"
RULE = {"name": "Many NG", "rule_kind": "ng_rate", "severity": "high", "parameters": {"threshold": 5.0}}

REQUESTS: dict[Route, Callable[[Mutations], Made]] = {
    ("POST", "/auth/login"): Mutations.login,
    ("POST", "/auth/refresh"): Mutations.refresh,
    ("POST", "/auth/logout"): lambda on: on.of_user("POST", "/auth/logout"),
    ("POST", "/users"): lambda on: on.ask(
        "POST", "/users", {"username": new_id(), "role": "inspector", "password": PASSWORD}, "admin"
    ),
    ("PUT", "/users/me/password"): lambda on: on.of_user(
        "PUT", "/users/me/password", {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    ),
    ("PUT", "/users/{user_id}"): lambda on: on.ask("PUT", f"/users/{on.user()['id']}", {"active": False}, "admin"),
    ("DELETE", "/users/{user_id}"): lambda on: on.ask("DELETE", f"/users/{on.user()['id']}", role="admin"),
    ("PUT", "/users/{user_id}/password"): lambda on: on.ask(
        "PUT", f"/users/{on.user()['id']}/password", {"password": OTHER_PASSWORD}, "admin"
    ),
    ("POST", "/api-keys"): lambda on: on.ask("POST", "/api-keys", {"name": "MES", "role": "integrator"}, "admin"),
    ("DELETE", "/api-keys/{key_id}"): lambda on: on.ask("DELETE", f"/api-keys/{on.key()}", role="admin"),
    ("POST", "/tauri/devices/register"): Mutations.register,
    ("POST", "/tauri/auth/login"): Mutations.station_login,
    ("POST", "/tauri/auth/device"): Mutations.device_login,
    ("PUT", "/tauri/config"): lambda on: on.ask(
        "PUT",
        "/tauri/config",
        {"device_id": enrol(on.served)["device_id"], "settings": {"sync_interval_s": 60}},
        "admin",
    ),
    ("PUT", "/devices/{device_id}"): lambda on: on.ask(
        "PUT", f"/devices/{enrol(on.served)['device_id']}", {"name": "Line 2"}, "admin"
    ),
    ("PUT", "/devices/{device_id}/store"): Mutations.choose_store,
    ("POST", "/enrolment-codes"): lambda on: on.ask("POST", "/enrolment-codes", {"device_name": "Line 1"}, "admin"),
    ("DELETE", "/enrolment-codes/{code_id}"): lambda on: on.ask(
        "DELETE", f"/enrolment-codes/{on.code()}", role="admin"
    ),
    ("POST", "/inspection/targets"): lambda on: on.ask("POST", "/inspection/targets", {"code": new_id(), "name": "P"}),
    ("PUT", "/inspection/targets/{target_id}"): lambda on: on.ask(
        "PUT", f"/inspection/targets/{make_target(on.served)['id']}", {"name": "New"}
    ),
    ("DELETE", "/inspection/targets/{target_id}"): lambda on: on.ask(
        "DELETE", f"/inspection/targets/{make_target(on.served)['id']}"
    ),
    ("POST", "/inspection/targets/{target_id}/items"): lambda on: on.ask(
        "POST", f"/inspection/targets/{make_target(on.served)['id']}/items", {"name": "Surface"}
    ),
    ("PUT", "/inspection/items/{item_id}"): lambda on: on.ask(
        "PUT", f"/inspection/items/{make_item(on.served)['id']}", {"name": "New"}
    ),
    ("DELETE", "/inspection/items/{item_id}"): lambda on: on.ask(
        "DELETE", f"/inspection/items/{make_item(on.served)['id']}"
    ),
    ("PUT", "/inspection/items/{item_id}/pipeline"): lambda on: on.ask(
        "PUT",
        f"/inspection/items/{make_item(on.served)['id']}/pipeline",
        {"pipeline_id": on.executing.pipeline(), "pipeline_parameters": {}},
    ),
    ("POST", "/pipelines"): lambda on: on.ask("POST", "/pipelines", {"name": "P", "definition": definition()}),
    ("PUT", "/pipelines/{pipeline_id}"): lambda on: on.ask(
        "PUT", f"/pipelines/{on.executing.pipeline()}", {"name": "New"}
    ),
    ("DELETE", "/pipelines/{pipeline_id}"): lambda on: on.ask("DELETE", f"/pipelines/{on.executing.pipeline()}"),
    ("POST", "/inspection/defect-classes"): lambda on: on.ask(
        "POST", "/inspection/defect-classes", {"code": new_id()[-12:], "name_en": "Dent", "name_ja": "打痕"}
    ),
    ("PUT", "/inspection/defect-classes/{class_id}"): lambda on: on.ask(
        "PUT", f"/inspection/defect-classes/{on.defect_class()}", {"severity": "critical"}
    ),
    ("DELETE", "/inspection/defect-classes/{class_id}"): lambda on: on.ask(
        "DELETE", f"/inspection/defect-classes/{on.defect_class()}"
    ),
    ("POST", "/inspection/models/releases"): Mutations.draft,
    ("POST", "/inspection/models/releases/{release_id}/stage"): lambda on: on.ask(
        "POST", f"{RELEASES}/{on.release()}/stage", {"stations": [enrol(on.served)["device_id"]]}
    ),
    ("POST", "/inspection/models/releases/{release_id}/release"): lambda on: on.ask(
        "POST", f"{RELEASES}/{on.release()}/release"
    ),
    ("POST", "/inspection/models/releases/{release_id}/rollback"): lambda on: on.ask(
        "POST", f"{RELEASES}/{on.released()}/rollback"
    ),
    ("POST", "/inspection/sessions"): lambda on: on.ask(
        "POST", "/inspection/sessions", {"target_id": make_target(on.served)["id"], "lot": "L1"}
    ),
    ("PUT", "/inspection/sessions/{session_id}"): lambda on: on.ask(
        "PUT", f"/inspection/sessions/{on.part()}", {"lot": "L2"}
    ),
    ("POST", "/inspection/sessions/{session_id}/complete"): lambda on: on.ask(
        "POST", f"/inspection/sessions/{on.decided_part()}/complete"
    ),
    ("POST", "/inspection/sessions/{session_id}/human-verification"): lambda on: on.ask(
        "POST", f"/inspection/sessions/{on.part()}/human-verification", {"verdict": "OK"}
    ),
    ("POST", "/inspection/sessions/{session_id}/images"): Mutations.attach,
    ("POST", "/inspection/sessions/{session_id}/ai-inspection"): Mutations.inspect,
    ("POST", "/files"): Mutations.upload,
    ("DELETE", "/files/{file_id}"): lambda on: on.ask("DELETE", f"/files/{on.file()}"),
    ("POST", "/executions"): Mutations.execute,
    ("POST", "/executions/{execution_id}/cancel"): Mutations.cancel,
    ("POST", "/inspection/sync/apply-changes"): Mutations.push,
    ("POST", "/inspection/sync/begin"): lambda on: on.of_station(
        "/inspection/sync/begin", {"store_id": new_id(), "next": "1-0000000000000001"}
    ),
    ("POST", "/inspection/sync/compare"): Mutations.offer,
    ("POST", "/inspection/sync/offers/take"): Mutations.take_offer,
    ("POST", "/inspection/quality/alerts/{alert_id}/acknowledge"): Mutations.acknowledge,
    ("POST", "/anomaly/models"): lambda on: Made(
        upload(on.served["supervisor"], vector_model(), sensor=new_id()), "supervisor"
    ),
    ("DELETE", "/anomaly/models/{model_id}"): lambda on: on.ask("DELETE", f"/anomaly/models/{on.second_model()}"),
    ("POST", "/anomaly/models/{model_id}/activate"): lambda on: on.ask(
        "POST", f"/anomaly/models/{on.second_model()}/activate"
    ),
    ("PUT", "/anomaly/models/{model_id}/threshold"): lambda on: on.ask(
        "PUT", f"/anomaly/models/{on.sensor_model()}/threshold", {"value": 2.5}
    ),
    ("POST", "/anomaly/models/{model_id}/learn"): lambda on: on.learn(on.sensor_model()),
    ("DELETE", "/anomaly/models/{model_id}/learn"): Mutations.revert,
    ("PUT", "/anomaly/alerts/{sensor}"): lambda on: on.ask("PUT", f"/anomaly/alerts/{new_id()}", {"after_rows": 3}),
    ("POST", "/anomaly/streams/{stream_id}"): Mutations.stream,
    ("DELETE", "/anomaly/streams/{stream_id}"): Mutations.forget_stream,
    ("POST", "/inspection/quality/alert-rules"): lambda on: on.ask("POST", "/inspection/quality/alert-rules", RULE),
    ("PUT", "/inspection/quality/alert-rules/{rule_id}"): lambda on: on.ask(
        "PUT", f"/inspection/quality/alert-rules/{on.rule()}", {"enabled": False}
    ),
    ("POST", "/inspection/quality/alert-rules/{rule_id}/silence"): lambda on: on.ask(
        "POST", f"/inspection/quality/alert-rules/{on.rule()}/silence", {"until": "2099-12-31T00:00:00.000Z"}
    ),
    ("DELETE", "/inspection/quality/alert-rules/{rule_id}"): lambda on: on.ask(
        "DELETE", f"/inspection/quality/alert-rules/{on.rule()}"
    ),
}
"""Method and path of each route, and what makes the request."""
