"""A real server on loopback for tests: real HTTP, a real SQLite file, real tokens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from inspection.pipeline.definition import default_definition
from models.ids import new_id
from models.states import Role
from server.auth.identity.principal import Principal
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.process.listening import listening
from server.process.running import RunningServer
from server.users.schemas import UserCreate
from server.users.service import create_user

PASSWORD = "correct horse battery staple"
SETUP = Principal(None, "set-up", Role.ADMIN, None)


@dataclass(eq=False)
class Served:
    """A running server and clients that are signed in, by role; ``anonymous`` is not."""

    url: str
    context: ServerContext
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=30)

    def __getitem__(self, role: str) -> httpx.Client:
        return self.clients[role]

    def sign_in(self, username: str, password: str = PASSWORD) -> dict[str, Any]:
        with self.client() as client:
            answer = client.post("/auth/login", json={"username": username, "password": password})
            assert answer.status_code == 200, answer.text
            return dict(answer.json())


@contextmanager
def serve(settings: ServerSettings) -> Iterator[Served]:
    """Run the application in a thread until the block ends."""
    context = open_context(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings, context)
    server = RunningServer(listening(app, settings), nullcontext, context, app.state.camera_streams)
    # Connections wait in the listener's line until the thread accepts them, so nothing has to wait here.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", context)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def serve_with_users(folder: Path, **settings: Any) -> Iterator[Served]:
    """Run a server with a signed-in client for every role and one for a station."""
    # A server that many files of tests share runs for longer than a token lives.
    lasting = {"access_token_minutes": 1_440, "device_token_minutes": 1_440}
    given: dict[str, Any] = {"sign_in_attempts": 10_000, **lasting, **settings}
    with serve(ServerSettings(data_dir=folder, **given)) as served:
        try:
            for role in Role:
                body = UserCreate(username=role.value, role=role, password=PASSWORD)
                create_user(served.context, SETUP, body)
                token = served.sign_in(role.value)["access_token"]
                served.clients[role.value] = served.client(Authorization=f"Bearer {token}")
            served.clients["anonymous"] = served.client()
            enrolled = enrol(served)
            token = device_token(served, enrolled)
            served.clients["device"] = served.client(Authorization=f"Bearer {token}")
            yield served
        finally:
            for client in served.clients.values():
                client.close()


def enrol(served: Served, name: str = "Station") -> dict[str, str]:
    """Enrol a station over REST and return what proves that it is the station: its id and credential."""
    made = register(served, name)
    return {"device_id": made["device_id"], "credential": made["credential"]}


def register(served: Served, name: str = "Station") -> dict[str, Any]:
    """Enrol a station over REST and return the whole answer."""
    code = served["admin"].post("/enrolment-codes", json={"device_name": name}).json()["code"]
    answer = served["anonymous"].post("/tauri/devices/register", json={"code": code})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def device_token(served: Served, enrolled: dict[str, str]) -> str:
    answer = served["anonymous"].post("/tauri/auth/device", json=enrolled)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def make_target(served: Served, **fields: Any) -> dict[str, Any]:
    """Make a target with a code of its own."""
    body = {"code": f"T-{new_id()}", "name": "Plate", **fields}
    answer = served["supervisor"].post("/inspection/targets", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def definition() -> dict[str, Any]:
    return default_definition().model_dump(mode="json")


def make_pipeline(served: Served) -> dict[str, Any]:
    body = {"name": f"P {new_id()}", "definition": definition()}
    answer = served["supervisor"].post("/pipelines", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def make_item(served: Served, **fields: Any) -> dict[str, Any]:
    target = make_target(served)
    answer = served["supervisor"].post(f"/inspection/targets/{target['id']}/items", json={"name": "Surface", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
