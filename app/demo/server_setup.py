"""What an administrator and a quality engineer do on a new server: users, a device's code, masters; over real REST."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.demo.parts import DemoParts
from app.demo.wording import Wording
from app.server_process import ServerProcess, imageflow_command
from inspection.pipeline import default_definition
from models.errors import Unavailable
from models.messages import Language

ADMIN, ENGINEER, OPERATOR = "admin", "engineer", "operator"
TARGET_CODE = "DEMO"
_COMMAND_S = 60.0
_REQUEST_S = 30.0
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """What the station needs to begin.

    Attributes:
        passwords: user name → password, drawn for this run alone.
        code: enrolment code, good once.
    """

    passwords: dict[str, str]
    code: str
    target_id: str
    item_id: str
    pipeline_id: str


def create_admin(data_dir: Path) -> str:
    """Create the first administrator with ``imageflow admin`` and return the password.

    Raises:
        Unavailable: ``demo-command-failed``.
    """
    password = secrets.token_urlsafe(18)
    arguments = ["admin", "users", "add", ADMIN, "--role", "admin", "--password-stdin", "--data-dir", str(data_dir)]
    done = subprocess.run(  # noqa: S603 - our own command
        [*imageflow_command(), *arguments],
        input=password + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_COMMAND_S,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(
            "demo-command-failed",
            command="admin users add",
            status=done.returncode,
            reason=done.stderr.strip(),
        )
    return password


class ServerAdministration:
    """The administrator, signed in at the server.

    Raises:
        Unavailable: ``demo-server-refused`` from every method when the server refuses or does not answer.
    """

    def __init__(self, server: ServerProcess, password: str) -> None:
        self._server = server
        self._password = password

    def set_up(self, parts: DemoParts, language: Language) -> ServerSetup:
        """Make users, the target with its item and pipeline, defect classes and an enrolment code.

        Args:
            parts: whose target it is.
            language: of the users, and of the names that they read.
        """
        phrase = Wording(language).phrase
        with self._signed_in() as client:
            passwords = {ADMIN: self._password}
            for username, role in ((ENGINEER, "supervisor"), (OPERATOR, "inspector")):
                passwords[username] = secrets.token_urlsafe(18)
                user = {"username": username, "role": role, "language": language}
                shown = phrase(f"user-{username}")
                self._post(client, "/users", {**user, "display_name": shown, "password": passwords[username]})
            definition = default_definition().model_dump(mode="json")
            pipeline = self._post(client, "/pipelines", {"name": phrase("pipeline-name"), "definition": definition})
            target = self._post(client, "/inspection/targets", {"code": TARGET_CODE, "name": parts.name[:200]})
            item = self._post(
                client,
                f"/inspection/targets/{target['id']}/items",
                {"name": phrase("item-name"), "position": 1, "required": True, "pipeline_id": pipeline["id"]},
            )
            for defect, name_en, name_ja in parts.defect_classes:
                names = {"code": defect, "name_en": name_en, "name_ja": name_ja}
                self._post(client, "/inspection/defect-classes", names)
        code = self.enrolment_code(phrase("station-name"))
        return ServerSetup(passwords, code, target["id"], item["id"], pipeline["id"])

    def enrolment_code(self, station: str) -> str:
        """Return a new enrolment code for a station of that name, good once."""
        with self._signed_in() as client:
            return str(self._post(client, "/enrolment-codes", {"device_name": station})["code"])

    def statistics(self) -> dict[str, Any]:
        """Return the body of ``GET /api/v1/inspection/statistics``."""
        with self._signed_in() as client:
            return self._checked(self._request(client, "GET", "/inspection/statistics"))

    @contextmanager
    def _signed_in(self) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=f"{self._server.url}/api/v1", timeout=_REQUEST_S, trust_env=False) as client:
            tokens = self._post(client, "/auth/login", {"username": ADMIN, "password": self._password})
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield client

    def _post(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._checked(self._request(client, "POST", path, body))

    def _request(
        self, client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        try:
            return client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise self._refusal(method, path, "-", type(error).__name__) from error

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code >= _FIRST_ERROR:
            request = answer.request
            raise self._refusal(request.method, request.url.path, str(answer.status_code), answer.text[:500])
        content = answer.json()
        if not isinstance(content, dict):
            raise TypeError(f"{answer.request.url.path} answered {type(content).__name__}")
        return content

    def _refusal(self, method: str, path: str, status: str, reason: str) -> Unavailable:
        return Unavailable(
            "demo-server-refused",
            method=method,
            path=path,
            status=status,
            reason=reason,
            log=str(self._server.log),
        )
