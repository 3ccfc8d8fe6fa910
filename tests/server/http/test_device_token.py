"""What the token of one station opens of another's: nothing, at any route of the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import WebSocketRoute
from websockets.exceptions import InvalidStatus

from models.audit import append_audit
from models.clock import utc_now
from models.ids import new_id
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import ExecutionStatus, HumanVerdict, Verdict
from models.storage import sha256_of
from models.sync import StoredFile, SyncConflict
from models.synced import snapshot
from models.verification import HumanVerification
from tests.support.app_routes import app_routes
from tests.support.live_clients import PATIENCE_S, add_execution, live
from tests.support.serving import Served, device_token, enrol, make_target

pytestmark = pytest.mark.slow
METHODS = ("get", "head", "post", "put", "patch", "delete")
MARK = "of-another-station-7f3a"
"""In every text of the other station that no other record has."""
IMAGE = f"pixels {MARK}".encode()
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Other:
    """What another station and its people have at the server.

    Attributes:
        ids: of its records, and of the station.
        secrets: what no answer may hold.
    """

    records: tuple[Any, ...]
    ids: tuple[str, ...]
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def other(served: Served) -> Other:
    device_id = enrol(served, f"Station {MARK}")["device_id"]
    target = make_target(served)["id"]
    part = InspectionSession(device_id=device_id, target_id=target, lot=f"lot {MARK}")
    picture = ImageRecord(
        device_id=device_id,
        session_id=part.id,
        sha256=sha256_of(IMAGE),
        size_bytes=len(IMAGE),
        content_type="image/png",
        width=4,
        height=4,
        captured_at=utc_now(),
    )
    result = AIResult(
        device_id=device_id, session_id=part.id, image_id=picture.id, overall_result=Verdict.NG, confidence=0.5
    )
    decided = HumanVerification(device_id=device_id, session_id=part.id, verdict=HumanVerdict.NG, comment=MARK)
    file = StoredFile(sha256=sha256_of(IMAGE), filename=f"{MARK}.png", content_type="image/png", size_bytes=len(IMAGE))
    lost = SyncConflict(
        entity="target", entity_id=target, field="name", change_id=new_id(), device_id=device_id,
        kept_value="a", kept_clock="1-0-a", lost_value=MARK, lost_clock="1-0-b",
    )  # fmt: skip
    records = (part, picture, result, decided, file, lost)
    with served.context.database.transaction() as session:
        for record in records:
            session.add(record)
            session.flush()
        append_audit(session, device_id=device_id, actor=MARK, action="station.did", subject=MARK)
    served.context.objects.put(sha256_of(IMAGE), IMAGE)
    owned = {"device_id": device_id, "created_by": MARK, "parameters": {"note": MARK}}
    execution = add_execution(served.context.database, ExecutionStatus.COMPLETED, **owned)
    ids = (device_id, *(record.id for record in records), execution)
    return Other(records[:4], ids, (MARK, sha256_of(IMAGE)))


@pytest.fixture
def thief(served: Served) -> Iterator[httpx.Client]:
    """A client with the token of a station that has nothing to do with the other one."""
    with served.client(Authorization=f"Bearer {device_token(served, enrol(served))}") as client:
        yield client


@dataclass(frozen=True)
class Asked:
    """A request, as the document of the interface describes it, that names records of the other station."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    def send(self, client: httpx.Client) -> httpx.Response:
        return client.request(self.method, self.path, params=self.query, json=self.body)

    def holds(self, secret: str) -> bool:
        """Return whether the request names a secret itself; its answer may name it again."""
        return secret in json.dumps([self.path, self.query, self.body])


def requests(served: Served, other: Other) -> list[Asked]:
    document = httpx.get(f"{served.url}/openapi.json", trust_env=False, timeout=60).json()
    found = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method not in operations or path.endswith("/logout"):
                continue
            for named in other.ids:
                found += asked(document, path, method, operations[method], named)
    return found


def asked(document: dict[str, Any], path: str, method: str, operation: dict[str, Any], named: str) -> Iterator[Asked]:
    """Yield an operation without and with its query, every id in it that of one record of the other station."""
    place = re.sub(r"\{[^}]+\}", named, path.removeprefix("/api/v1"))
    body = example(document, operation, named)
    query = {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"].endswith(("_id", "sha256", "blob")):
            query[parameter["name"]] = named if parameter["name"].endswith("_id") else sha256_of(IMAGE)
    yield Asked(method.upper(), place, {}, body)
    if query:
        yield Asked(method.upper(), place, query, body)


def example(document: dict[str, Any], operation: dict[str, Any], named: str) -> Any:
    """Return the example of an operation's JSON body, with every id and digest in it those of the other station."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [one["value"] for one in content.get("examples", {}).values()]
    if "example" in content:
        examples.append(content["example"])
    if not examples:
        return None
    text = UUID.sub(named, json.dumps(examples[0]))
    return json.loads(DIGEST.sub(sha256_of(IMAGE), text))


def test_no_route_gives_a_station_anything_of_another(served: Served, other: Other, thief: httpx.Client) -> None:
    leaks, answered = [], set()
    for one in requests(served, other):
        answer = one.send(thief)
        if answer.is_success:
            answered.add(f"{one.method} {one.path}")
        leaks += [(one, secret) for secret in other.secrets if secret in answer.text and not one.holds(secret)]
        leaks += [(one, "image")] if IMAGE in answer.content else []
    assert leaks == []
    assert thief.get("/inspection/sync/changes").status_code == 200, "the token was good to the end"
    assert len(answered) > 10, "a token that opens nothing would prove nothing"


def test_no_route_lets_a_station_change_anything_of_another(served: Served, other: Other, thief: httpx.Client) -> None:
    def present() -> list[dict[str, Any] | None]:
        with served.context.database.read() as session:
            found = [session.get(type(record), record.id) for record in other.records]
        return [snapshot(record) if record is not None else None for record in found]

    before = present()
    for one in requests(served, other):
        if one.method not in {"GET", "HEAD"}:
            one.send(thief)
    assert present() == before


def test_no_websocket_gives_a_station_anything_of_another(
    served: Served, other: Other, thief: httpx.Client, tmp_path: Path
) -> None:
    paths = {route.path for route in app_routes(tmp_path) if isinstance(route, WebSocketRoute)} - {"/{path:path}"}
    places = {re.sub(r"\{[^}]+\}", named, path) for path in paths for named in other.ids}
    heard = {place: first_message(served, thief, place) for place in places}
    assert [(place, secret) for place, text in heard.items() for secret in other.secrets if secret in text] == []
    opened = {place for place, text in heard.items() if text}
    assert opened == {"/ws/camera-stream", "/api/v1/camera-stream", "/ws/quality-metrics", "/ws/sync"}


def first_message(served: Served, client: httpx.Client, path: str) -> str:
    """Return what a WebSocket says first, empty when it does not open."""
    own = {"additional_headers": {"Authorization": client.headers["Authorization"]}}
    try:
        with live(served, path, **own) as connection:
            return str(connection.recv(timeout=PATIENCE_S))
    except InvalidStatus as refused:
        if refused.response.status_code not in {403, 404}:
            raise
        return ""


def test_whoever_may_see_it_finds_it_at_these_routes(served: Served, other: Other) -> None:
    found = set()
    for one in requests(served, other):
        if one.method == "GET" and MARK in one.send(served["admin"]).text:
            found.add(re.sub(UUID, "ID", one.path))
    assert {"/devices", "/inspection/sessions", "/inspection/sessions/ID", "/inspection/sync/conflicts"} <= found
