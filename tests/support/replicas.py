"""Two real server processes on one PostgreSQL, with an administrator."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.ids import new_id
from tests.support.server_process import run, server
from tests.support.serving import PASSWORD

ADMIN = "anna"
NAMES = ("first", "second")


@dataclass(frozen=True, eq=False)
class Replica:
    """One of the processes.

    Attributes:
        name: that its connections to the database carry.
        url: it listens on.
    """

    name: str
    process: subprocess.Popen[str]
    url: str

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=30)

    def ask(self, method: str, path: str, token: str = "", body: object = None, **headers: str) -> httpx.Response:
        """Ask once, on a connection of its own."""
        signed_in = {"Authorization": f"Bearer {token}"} if token else {}
        with self.client(**signed_in, **headers) as client:
            return client.request(method, path, json=body)

    def sign_in(self, username: str = ADMIN) -> str:
        answer = self.ask("POST", "/auth/login", body={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@contextmanager
def replicas(folder: Path, database: str, **settings: str) -> Iterator[tuple[Replica, Replica]]:
    """Start both, as ``IMAGEFLOW_SERVER_…`` settings say, and end them with the block."""
    shared = {
        "IMAGEFLOW_SERVER_OBJECTS_URL": (folder / "objects").as_uri(),
        "IMAGEFLOW_SERVER_JWT_SECRET": new_id() * 2,
        "IMAGEFLOW_SERVER_EXECUTION_SLOTS": "0",
        **{f"IMAGEFLOW_SERVER_{name.upper()}": value for name, value in settings.items()},
    }
    own = [{**shared, "IMAGEFLOW_SERVER_DATABASE_URL": f"{database}&application_name={name}"} for name in NAMES]
    made = run(
        *("admin", "users", "add", ADMIN, "--role", "admin", "--password-stdin", "--data-dir", folder / NAMES[0]),
        given=PASSWORD,
        **own[0],
    )
    assert made.returncode == 0, made.stderr
    with (
        server(folder / NAMES[0], **own[0]) as (first, first_url, _),
        server(folder / NAMES[1], **own[1]) as (second, second_url, _),
    ):
        yield Replica(NAMES[0], first, first_url), Replica(NAMES[1], second, second_url)
